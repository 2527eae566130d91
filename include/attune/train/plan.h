// What a run will do, as pure functions of the step: how many steps, which rows each step reads, when the events are
// due. No state is kept here, so a resumed run asks the same questions and gets the same answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/train/options.h"

namespace attune::train {

/// The rows of one optimiser step.
struct Window {
  std::int64_t epoch = 0;
  std::vector<std::vector<std::int64_t>> batches;  ///< row indices, one list a batch
};

class Plan {
 public:
  /// `lengths`: tokens of each training row. Throws Error{data} when there are none.
  Plan(const TrainingOptions& options, std::uint64_t seed, std::vector<std::int64_t> lengths);

  std::int64_t total_steps() const { return total_steps_; }
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  /// Epochs done after `step` steps, as the reference trainer logs it: batches, not steps, are its unit.
  double epoch_after(std::int64_t step) const;
  /// The rows of the step after `step` finished ones.
  Window window(std::int64_t step) const;
  /// All rows in the order of an epoch: torch.randperm under (data_seed or seed) + epoch; under
  /// train_sampling_strategy "sequential" as they are.
  std::vector<std::int64_t> order(std::int64_t epoch) const;

  /// Whether an event falls on the end of step `step` (counted from 1). An epoch that max_steps cuts short ends there
  /// too.
  bool ends_epoch(std::int64_t step) const;
  bool logs(std::int64_t step) const;
  bool evaluates(std::int64_t step) const;
  bool saves(std::int64_t step) const;  ///< under save_strategy steps or epoch
  std::int64_t eval_interval() const { return eval_interval_; }
  std::int64_t save_interval() const { return save_interval_; }

 private:
  bool due(const std::string& strategy, std::int64_t interval, std::int64_t step) const;
  std::int64_t interval(double setting) const;

  TrainingOptions options_;
  std::uint64_t order_seed_;
  std::vector<std::int64_t> lengths_;
  std::int64_t batches_per_epoch_ = 0, steps_per_epoch_ = 0, total_steps_ = 0;
  std::int64_t eval_interval_ = 0, save_interval_ = 0;
  mutable std::int64_t cached_epoch_ = -1;  ///< the order of the current epoch, which is asked for step by step
  mutable std::vector<std::int64_t> cached_order_;
};

}  // namespace attune::train
