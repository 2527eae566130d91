// What pages about prompts have in common.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// What it means for the study that rows of two splits have the same text; "" where none have.
std::string shared_texts_notice(const files::Json& results);
/// A metric of the wordings over each other; "" for one wording.
std::string wording_strips(const files::Json& results, const char* metric);
/// What means and intervals are over; "" where every wording was asked under one seed.
std::string seeds_note(const files::Json& results);
/// Tokens that went through the model, and what sharing them saved.
std::string work_text(const files::Json& results);

}  // namespace attune::report
