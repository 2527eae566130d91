// Whether a training goes wrong although its losses stay finite: they rise, stay up, and the run ends as if nothing were; or they
// leave every scale, and nothing is to be expected of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "attune/task/task.h"

namespace attune::train {

/// A training has gone wrong when its loss lies, by the task's margin, above both its first loss and the loss of a model
/// that knows nothing (task::BlindLoss): there is nothing left of what it began with, and nothing was learned instead.
/// The loss is the median of the latest steps, at least kSteps of them with kRows rows: half of them must lie that high,
/// so neither a spike nor a few hard rows in small batches do, and a learning rate that is merely high does not either.
class LossWatch {
 public:
  static constexpr std::int64_t kSteps = 10, kRows = 64;
  static constexpr double kLost = 1e9;

  /// `blind` nothing: nothing is watched. `rows_per_step`: of the windows of accumulated batches.
  LossWatch(std::optional<task::BlindLoss> blind, std::int64_t rows_per_step);

  /// Takes the loss of the next step. True when the training has gone wrong by now; once.
  bool rises(double loss);
  /// A loss, of a step that was not taken yet or of an evaluation, from which no training comes back: above kLost times what both its
  /// first loss and a blind guess (with the margin) have. Squared errors of large numbers do not come there: their scale is in both, and one
  /// outlier among n rows is at most n times their variance.
  bool is_lost(double loss) const;
  /// "6.6e+29, more than 1e+09 times what the training began with (1.386) and what a model has that knows nothing (1.386)"
  std::string describe_lost(double loss) const;
  /// "the loss has risen to 20.31 (it began at 5.71, and a model that knows nothing has 5.70)"
  std::string describe() const;

 private:
  double median() const;

  std::optional<task::BlindLoss> blind_;
  std::size_t steps_;  ///< in the median
  std::optional<double> first_;
  std::deque<double> latest_;
  bool told_ = false;
};

}  // namespace attune::train
