// From the files of a comparison to its statistics: once when it is made, once more when it is verified.
#pragma once

#include <string>

#include "attune/files/json.h"
#include "attune/study/method.h"

namespace attune::study {

/// Reads the predictions that `results` names, relative to `folder`, and adds to each of its methods scores and
/// cost.use, and "pairs", "recommendation" and "cost_unit" to the results. Errors as read_answers.
void add_comparison(files::Json& results, const MethodRows& rows, const std::string& folder);

}  // namespace attune::study
