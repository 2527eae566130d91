// What pages about prompts have in common.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// metric_text(), or "–" for what is no number.
std::string figure(const files::Json& value);
/// The number with its interval below.
std::string with_interval(const files::Json& value, const files::Json& interval);
/// The paragraph that says it all.
std::string lead(const std::string& html);
/// The name of results["output_dir"].
std::string page_title(const files::Json& results);

/// A metric of the wordings over each other; "" for one wording.
std::string wording_strips(const files::Json& results, const char* metric);
/// What means and intervals are over; "" where every wording was asked under one seed.
std::string seeds_note(const files::Json& results);
/// Tokens that went through the model, and what sharing them saved.
std::string work_text(const files::Json& results);

}  // namespace attune::report
