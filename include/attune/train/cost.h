// What training and evaluating compute, for the event `cost` and the sums that are made of it (report/cost.h).
#pragma once

#include <cstdint>
#include <span>

#include "attune/files/json.h"
#include "attune/models/flops.h"
#include "attune/task/task.h"
#include "attune/train/frozen_prefix.h"

namespace attune::train {

struct Cost {
  std::int64_t tokens = 0;      ///< that were read, real ones
  std::int64_t supervised = 0;  ///< what the loss is a mean over: learned tokens, tagged words, or rows; of training alone
  double forward = 0, backward = 0;  ///< FLOP (models/flops.h) …
  double recomputed = 0;             ///< … of stages that gradient_checkpointing runs again
  double frozen = 0;                 ///< … of frozen stages, once for each time that a text went through them
  double seconds = 0;                ///< of optimiser steps, without what happens between them

  void add(const Cost& other);
};

/// The fields of the event (docs/events.md).
files::Json training_cost(const Cost& cost);
files::Json evaluation_cost(const Cost& cost);

/// The texts of a batch.
models::PassSize size_of(const task::Batch& batch);
/// Labels of the batch that are not ignored; its rows where there are no labels (several classes a row, numbers).
std::int64_t supervised(const task::Batch& batch);

/// What frozen stages compute from the moment that it is made.
class FrozenMeter {
 public:
  /// null: there is no prefix, and stage 0 is the first that others count.
  explicit FrozenMeter(const FrozenPrefix* prefix);
  int stages() const { return prefix_ == nullptr ? 0 : prefix_->stages(); }
  double flops() const { return prefix_ == nullptr ? 0.0 : prefix_->flops() - before_; }

 private:
  const FrozenPrefix* prefix_;
  double before_;
};

/// Of predicting. `frozen`: made before it.
Cost cost_of(const models::Model& model, std::span<const task::Prediction> predictions, const FrozenMeter& frozen);

}  // namespace attune::train
