// Prompts for people: what the model reads, and what of it will not do what it seems to.
#pragma once

#include <string>

#include "attune/files/json.h"
#include "attune/study/prompting.h"

namespace attune::study {

/// {"wording": name, "row": id of the first row, "prompt": its text as the model reads it}.
files::Json shown_prompt(const PromptJob& job, const Variant& variant, const std::string& name);

/// Of one of the job's wordings, by name, with the examples and the seed of the configuration.
files::Json shown_wording(const PromptJob& job, const std::string& name);

/// Warns of wordings that write the same prompts, of label words that a word of another label begins with (by the sum
/// of log probabilities the longer can never be the likelier), and where several wordings are put to the test rows.
void warn_of_wordings(const PromptJob& job);

}  // namespace attune::study
