// Which method to take, in plain words.
#pragma once

#include <vector>

#include "attune/files/json.h"
#include "attune/metrics/method_comparison.h"
#include "comparison.h"

namespace attune::study {

/// {"method", "best", "alike", "undecided": names, "is_clear", "detectable", "rule", "reason"}.
files::Json recommendation_of(const std::vector<ComparedMethod>& methods, const metrics::MethodComparison& comparison,
                              const ComparisonOptions& options);

}  // namespace attune::study
