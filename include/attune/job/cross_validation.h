// k-fold cross-validation around the fit. Nothing inside knows that it runs as a fold; whatever is fitted is fitted to the
// training rows of a fold, early stopping sees an inner validation split of them, and the held-out fold is predicted once.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/files/json.h"
#include "attune/job/fit.h"

namespace attune::job {

struct FoldOutcome {
  std::int64_t repeat = 0;
  std::int64_t fold = 0;
  files::Json metrics;      ///< of the held-out rows
  double best_epoch = 0;
  std::string stopped_by;   ///< "signal" ends the whole run
};

struct CrossValidationOutcome {
  std::vector<FoldOutcome> folds;
  files::Json summary;       ///< cv_results.json: per fold, mean, sd, Nadeau–Bengio interval; pooled metrics with bootstrap intervals
  double median_best_epoch = 0;
  bool stopped = false;      ///< a signal arrived; finished folds are kept and `--resume` goes on
};

/// Error{data} when the rows cannot be divided into the folds that are asked for; nothing without cross-validation. Asked
/// before anything is written.
void check_folds(const Prepared& prepared);

/// Writes <output_dir>/cv/: fold-k/, cv_results.json, oof_predictions.jsonl (one line a row and repeat).
CrossValidationOutcome cross_validate(const Prepared& prepared, std::uint64_t seed, const report::EventBus& events);

}  // namespace attune::job
