// What a run will do, as pure functions of the step: how many steps, which rows each step reads, when the events are
// due. No state is kept here, so a resumed run asks the same questions and gets the same answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
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
  /// Row numbers or lengths: there may be millions, so they take four bytes each.
  using Numbers = std::vector<std::uint32_t>;
  /// An epoch's shuffled rows in another order, as a function of both.
  using Arrange = std::function<Numbers(std::int64_t epoch, Numbers order)>;

  /// `lengths`: tokens of each training row. Throws Error{data} when there are none. Under batch_by "tokens" none should
  /// be longer than tokens_per_batch: it would be a batch of its own.
  /// `passes`: how often each row is read an epoch, a fraction meaning that another part of such rows is read each epoch;
  /// empty = once.
  /// `arrange` has the last word on the order of an epoch, but for train_sampling_strategy "sequential".
  Plan(const TrainingOptions& options, std::uint64_t seed, Numbers lengths,
       const std::vector<double>& passes = {}, Arrange arrange = {});

  std::int64_t total_steps() const { return total_steps_; }
  /// Of the first epoch, rounded down; at least 1.
  std::int64_t mean_rows_per_step() const { return std::max<std::int64_t>(1, rows_per_epoch_ / epoch_end(0)); }
  /// Steps done when the epoch ends to which the step after `step` finished ones belongs.
  std::int64_t epoch_end(std::int64_t step) const;
  /// Epochs done after `step` steps, as the reference trainer logs it: batches, not steps, are its unit.
  double epoch_after(std::int64_t step) const;
  /// The rows of the step after `step` finished ones.
  Window window(std::int64_t step) const;
  /// The rows in the order of an epoch: torch.randperm under (data_seed or seed) + epoch; under
  /// train_sampling_strategy "sequential" as they are.
  Numbers order(std::int64_t epoch) const;

  /// Whether an event falls on the end of step `step` (counted from 1). An epoch that max_steps cuts short ends there
  /// too.
  bool ends_epoch(std::int64_t step) const;
  bool logs(std::int64_t step) const;
  bool evaluates(std::int64_t step) const;
  bool saves(std::int64_t step) const;  ///< under save_strategy steps or epoch
  std::int64_t eval_interval() const { return eval_interval_; }
  std::int64_t save_interval() const { return save_interval_; }

 private:
  /// Rows that are read equally often.
  struct Share {
    double passes = 1;
    Numbers rows;  ///< none where it is all of them, once
    std::int64_t draws = 0;  ///< an epoch
  };
  /// Where an epoch begins and how many batches it has.
  struct Epoch {
    std::int64_t number = 0;
    std::int64_t first_step = 0;
    std::int64_t batches = 0;
  };
  /// Batches one after another.
  struct Batches {
    Numbers rows;
    std::vector<std::size_t> ends;  ///< of each batch, in `rows`
  };
  void share_out(const std::vector<double>& passes);
  /// Counts the steps of a run whose epochs have as many batches as the lengths of their rows make.
  void count_epochs();
  /// The epoch of the step after `step` finished ones; behind the last step one without batches.
  Epoch epoch_of(std::int64_t step) const;
  std::int64_t steps_of(const Epoch& epoch) const;
  /// All that is read in an epoch, before shuffling.
  Numbers drawn(std::int64_t epoch) const;
  /// Cuts a part of batches.rows, from `begin` on, in its order: a new batch where the budget would be exceeded.
  void cut(std::size_t begin, std::size_t end, Batches& batches) const;
  Batches batches(std::int64_t epoch) const;
  /// Of an epoch under batch_by "tokens", before they are shuffled.
  Batches unshuffled(std::int64_t epoch) const;
  Batches token_batches(std::int64_t epoch) const;
  bool due(const std::string& strategy, std::int64_t interval, std::int64_t step) const;
  std::int64_t interval(double setting) const;

  TrainingOptions options_;
  std::uint64_t order_seed_;
  std::size_t rows_;
  Numbers lengths_;  ///< none where batches do not go by length
  std::vector<Share> shares_;
  Arrange arrange_;
  std::int64_t rows_per_epoch_ = 0;
  std::int64_t batches_per_epoch_ = 0, steps_per_epoch_ = 0;  ///< where batches count rows
  std::vector<Epoch> epochs_;                                 ///< where they count tokens: those of the run
  std::int64_t total_steps_ = 0;
  std::int64_t eval_interval_ = 0, save_interval_ = 0;
  mutable std::int64_t cached_epoch_ = -1;  ///< the batches of the current epoch, which are asked for step by step
  mutable Batches cached_batches_;
};

}  // namespace attune::train
