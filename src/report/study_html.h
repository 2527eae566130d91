// What the pages about studies have in common.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// A metric, or "–".
std::string figure(const files::Json& value);

/// The number with its interval [low, high] beside it, where there is one that has_width().
std::string with_interval(const files::Json& value, const files::Json& interval);

/// The paragraph that says the most important thing.
std::string lead(const std::string& html);

/// The name of the output folder.
std::string page_title(const files::Json& results);

}  // namespace attune::report
