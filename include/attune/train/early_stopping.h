// The best evaluation so far, and when to give up waiting for a better one.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "attune/train/options.h"

namespace attune::train {

/// Whether more of a metric is better; "auto" (and no answer): unless its name ends in "loss", as the reference says.
bool greater_is_better(const std::string& metric, const std::string& mode);

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
