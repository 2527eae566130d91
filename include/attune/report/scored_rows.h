// On how many rows metrics of texts rest, for terminals and pages: rows without a text of their own have nothing that a
// generated text could be held against.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// "metrics rest on 1 of 3 rows", where variants are compared by assertions ("metric") "metrics rest on 1 of 3 rows,
/// assertions on all of them"; "" where "scored_rows" of `results` is all its "rows", or none. `count` writes a number.
std::string scored_rows_text(const files::Json& results, std::string (*count)(double));

/// The same of what a study put to the test rows: {"metrics": {"rows", "generated", …}, …} of results["test"].
std::string scored_test_rows_text(const files::Json& results, const files::Json& tested, std::string (*count)(double));

}  // namespace attune::report
