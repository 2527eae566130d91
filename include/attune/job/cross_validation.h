// k-fold cross-validation around the fit. Nothing inside knows that it runs as a fold; whatever is fitted is fitted to the
// training rows of a fold, early stopping sees an inner validation split of them, and the held-out fold is predicted once.
#pragma once

#include <nlohmann/json.hpp>

#include "attune/files/json.h"
#include "attune/job/prepare.h"
#include "attune/report/events.h"

namespace attune::job {

struct CrossValidationOutcome {
  files::Json summary;   ///< cv_results.json: per fold, mean, sd, Nadeau–Bengio interval; pooled metrics with bootstrap intervals
  files::Json manifest;  ///< what `verify` needs to repeat the folds: {"folds": [{name, rows, trajectory, predictions_sha256}]}
  double median_best_epoch = 0;
  bool stopped = false;  ///< a signal arrived; finished folds are kept and `--resume` goes on
};

/// Error{data} when the rows cannot be divided into the folds that are asked for; nothing without cross-validation. Asked
/// before anything is written.
void check_folds(const Prepared& prepared);

/// Writes <output_dir>/cv/: fold-k/, cv_results.json, oof_predictions.jsonl (one line a held-out row and repeat). A fold that
/// an interrupted run of the same job finished is read, not trained again.
CrossValidationOutcome cross_validate(const Prepared& prepared, const report::EventBus& events);

}  // namespace attune::job
