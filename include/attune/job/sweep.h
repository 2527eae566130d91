// Runs that differ in some settings, compared on the same validation rows or folds. What the frozen layers compute is shared by
// all of them, and the test rows stay closed until one is chosen.
#pragma once

#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::job {

/// A place in the grid.
struct SweepPoint {
  std::string name;                   ///< of its folder in the sweep's: "point-2"
  std::vector<std::string> settings;  ///< KEY=VALUE, as --set takes them
  RunOptions options;                 ///< of its run, with these settings; output_dir is its folder
};

/// Runs the points one after another, each into its folder, and copies the files of the best into options.output_dir, with
/// scores of the test rows where there are some. A point whose loss diverges is noted and passed over. With
/// options.resume_from_checkpoint "auto" finished points are read instead of trained. Returns, and writes as sweep_results.json:
/// {"metric", "greater_is_better", "measured_on": "validation rows" or "folds", "points": [{"name", "settings", "value", "interval"
/// (95 %), "seconds", "cost"} or {"name", "settings", "failed", "cost"}], "cost": sums over the points (src/job/sweep_results.h), "chosen": name, "within_interval": names of the points whose values lie in
/// the interval of the chosen one, "test": {"metrics", "intervals"}, "opening": as job/openings.h, "stopped_by"}.
/// Error{usage} where the points cannot be compared, Error{resume_refused} for a folder with another sweep, Error{diverged} when
/// every point diverged, and what runs throw, with the point's name.
files::Json sweep(const RunOptions& options, const std::vector<SweepPoint>& points, const report::EventBus& events);

}  // namespace attune::job
