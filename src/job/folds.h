// The folds of a cross-validation: which rows each trains on, chooses its best model by and is scored on, and the fit
// of one. Shared by the cross-validation and by `verify`, which repeats it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/data/split.h"
#include "attune/job/fit.h"

namespace attune::job {

/// Rows are indices of prepared.train.examples.
struct FoldJob {
  std::string name;         ///< of its folder: "fold-2", with repeats "repeat-1-fold-2"
  std::int64_t repeat = 1;  ///< from 1
  std::int64_t fold = 1;    ///< from 1
  data::Rows train;
  data::Rows inner_validation;
  data::Rows held_out;
};

struct FoldJobs {
  std::vector<FoldJob> folds;
  std::vector<std::string> warnings;
};
/// Under cross_validation.seed, else the run's first seed.
FoldJobs fold_jobs(const Prepared& prepared);

/// The fit of a fold with the run's first seed; without a folder, so that it writes nothing.
FitRequest fold_request(const Prepared& prepared, const FoldJob& fold, const report::EventBus& events);

/// Predictions of the held-out rows as JSON, so that a finished fold is never computed twice. Floats survive exactly.
files::Json predict_held_out(const Fit& fit, const FoldJob& fold, const FitRequest& request);
/// Read back; they point into `rows`.
std::vector<task::Prediction> load_predictions(const files::Json& lines, std::span<const task::Encoded> rows);

}  // namespace attune::job
