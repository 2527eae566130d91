// The best evaluation so far, and when to give up waiting for a better one.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "attune/train/options.h"

namespace attune::train {

/// Whether more of a metric ("eval_f1" or "f1") is better; "auto": as the table of metrics says, and for a name that is
/// not in it as the reference does, unless it ends in "loss". (The reference goes by the name alone and takes more of
/// eval_rmse for better.)
bool greater_is_better(const std::string& metric, const std::string& mode);

/// A metric as evaluations name it ("eval_f1"), and whether more of it is better.
struct WatchedMetric {
  std::string name;
  bool greater = false;
};
/// What the best model, and the best of several seeds, is chosen by: training.metric_for_best_model, else the metric of
/// early stopping, else the loss.
WatchedMetric best_model_metric(const TrainingOptions& training, const EarlyStoppingOptions& stopping);
/// What early stopping watches.
WatchedMetric stopping_metric(const TrainingOptions& training, const EarlyStoppingOptions& stopping);

/// The best value by strict comparison: a tie keeps the earlier one, and a NaN is never the best.
class Best {
 public:
  explicit Best(bool greater) : greater_(greater) {}
  /// True when `value` is the new best.
  bool update(double value, std::int64_t step);

  bool greater() const { return greater_; }
  std::optional<std::int64_t> step;  ///< of the best evaluation
  double value = 0;

 private:
  bool greater_;
};

/// Transformers' EarlyStoppingCallback with its own memory of the best value: an evaluation that is better by more than
/// `threshold` resets the count, every other one adds to it; an improvement below the threshold still moves the best
/// value.
class EarlyStopping {
 public:
  EarlyStopping(const EarlyStoppingOptions& options, bool greater);
  /// True when training should stop after this evaluation.
  bool update(double value);

  bool started = false;  ///< whether any evaluation was seen
  double best = 0;       ///< ±infinity until a number was seen
  std::int64_t waited = 0;

 private:
  std::int64_t patience_;
  double threshold_;
  bool greater_;
};

}  // namespace attune::train
