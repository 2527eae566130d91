// An adapter and its base become one model folder.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::job {

/// Writes the merged model (float32), the adapter's tokenizer files, what says how it generates and how its run read rows
/// (config.resolved.json), and merge_results.json into `output`, which must be new or
/// empty; the folder appears whole or not at all. Opens it again and compares logits with those of base and adapter:
/// {"adapter", "base", "output", "sequences", "largest_logit", "max_abs_difference"}. Error{usage}: the folder is in
/// use. Error{model}: see adapt/peft.h; or the logits differ by more than rounding.
files::Json merge(const std::string& adapter, const std::string& output);

}  // namespace attune::job
