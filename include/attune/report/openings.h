// How often test rows had been opened before (job/openings.h), for terminals and pages.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// "these test rows had been opened 2 times before".
std::string opening_text(const files::Json& opening);

/// A paragraph for results["opening"]; "" where the results have none.
std::string opening_html(const files::Json& results);

}  // namespace attune::report
