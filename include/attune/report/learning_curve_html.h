// The page of learning curves, self-contained: no script and no external resource; light, dark and print.
#pragma once

#include <string>
#include <vector>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as study::learning_curve gives them; `sentences` those of them that a decision needs, texts. The tables
/// say the rest.
std::string learning_curve_page(const files::Json& results, const std::vector<std::string>& sentences);

}  // namespace attune::report
