// Rules for settings that name a metric. See rules.h.
#pragma once

#include <vector>

#include "rules.h"

namespace attune::config {

/// Metrics that the task does not have, and directions that are not theirs.
std::vector<Violation> broken_metric_rules(const job::RunOptions& options);

}  // namespace attune::config
