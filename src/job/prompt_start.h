// Where a soft prompt starts: at the words that a study of prompts (attune prompt) found best.
#pragma once

#include <string>

#include "attune/job/options.h"

namespace attune::job {

/// The header of the wording that the study in `folder` chose by validation rows: the variant that `attune prompt
/// optimise` left, or the most accurate wording of `stability` or `run`. Error{usage} naming the file: no study, one
/// that was stopped or asked the test rows, a header without words.
std::string chosen_words(const std::string& folder);

/// tuning.prompt_tuning.init_from as the text that it stands for: the run no longer needs the folder.
RunOptions with_chosen_words(RunOptions options);

}  // namespace attune::job
