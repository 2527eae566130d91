// The page about methods that were compared, self-contained: no script and no external resource; light, dark and print.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as study::compare gives them.
std::string compare_page(const files::Json& results);

}  // namespace attune::report
