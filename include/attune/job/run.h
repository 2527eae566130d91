// A whole `attune train`: one fit, several seeds, or cross-validation with an optional refit; then test rows, files, report.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/fit.h"
#include "attune/report/events.h"

namespace attune::job {

/// What the runs of a sweep have in common.
struct Shared {
  std::shared_ptr<train::PrefixCache> prefix_cache;  ///< null: the run has one of its own
  bool seals_test = false;  ///< test rows are read, and kept out of training, but not scored
};

/// What a run found out, for the terminal, --json and the report:
/// {"output_dir", "majority", "train": {…}, "validation": {"metrics", "intervals", "samples"}, "test": {…}, "seeds": […],
///  "cross_validation": {…}, "self_training": as fit_with_rounds says, "model": {…}, "prefix_cache": {…} where layers are frozen, "phases": {name: seconds}, "stopped_by"}.
/// Before the first file is written a signal ends the process as ever; from then on it makes the run save and stop.
files::Json run(const RunOptions& options, report::EventBus& events, const Shared& shared = {});

/// Everything that `run` does before the first file is written, for --dry-run: {"data", "model", "self_training" where there is, and
/// "folds" and "warnings" of a cross-validation}.
files::Json plan(const RunOptions& options, const report::EventBus& events);

/// Share of the rows that have the most frequent label; null where there is none.
files::Json majority_rate(const data::LabelMap& labels, const files::ListView<data::Example>& train, const files::ListView<data::Example>& rows);

}  // namespace attune::job
