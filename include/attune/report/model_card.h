// README.md of the output folder: a model card as the Hugging Face Hub reads it, YAML front matter first.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `summary` as in html.h. The front matter holds base_model (unless it is a path of this machine), pipeline_tag, tags
/// and the main results as model-index; the text says what the model is for, how it scores, and how it was trained.
std::string model_card(const files::Json& summary);

}  // namespace attune::report
