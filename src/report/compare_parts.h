// The parts of the page about compared methods.
#pragma once

#include <optional>
#include <string>

#include "attune/files/json.h"
#include "svg.h"

namespace attune::report {

/// A member as HTML; "–" where it is missing.
std::string html_of(const files::Json& object, const char* key);

bool is_recommended(const files::Json& results, const files::Json& method);

/// Nothing where it is not to be shown: see has_width().
std::optional<Point> interval_of(const files::Json& interval);

/// Costs over accuracy, and a table of what is known of them.
std::string compared_costs(const files::Json& results);

}  // namespace attune::report
