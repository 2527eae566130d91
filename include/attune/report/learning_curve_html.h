// The page of learning curves, self-contained: no script and no external resource; light, dark and print.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as study::learning_curve gives them.
std::string learning_curve_page(const files::Json& results);

}  // namespace attune::report
