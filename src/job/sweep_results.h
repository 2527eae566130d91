// What a sweep finds in the results of its points.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::job {

/// The metric's number and its interval in the results of a run: the mean over folds, over seeds, or the validation
/// rows'; null where it is undefined.
struct Measured {
  files::Json value, interval;
};
Measured measured(const files::Json& run, const std::string& metric);

/// Of the results of a run: {"flops", "flops_frozen", "seconds", "joules", "money", "currency"} as far as they are
/// known.
files::Json point_cost(const files::Json& run);

/// Sums of the points' costs, of what all points that did not diverge know; of those that did the seconds count, and
/// "unknown" is their number.
files::Json total_cost(const files::Json& points);

/// The best of the points that have a value. Error{diverged} or Error{data} where none has.
const files::Json& best_point(const files::Json& points, const std::string& metric, bool greater);

/// Names of the other points that these rows do not tell apart from the chosen one.
files::Json within_interval(const files::Json& points, const files::Json& chosen);

}  // namespace attune::job
