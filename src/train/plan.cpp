// See plan.h. Counts as Trainer.set_initial_training_values and DefaultFlowCallback of Transformers 5.23 make them.
#include "attune/train/plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/random.h"

namespace attune::train {

namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// The reference's length-grouped order: mega-batches of the shuffled rows, each sorted by length, longest row first of
/// all.
void group_by_length(std::vector<std::int64_t>& order, const std::vector<std::int64_t>& lengths, std::int64_t batch) {
  const auto rows = static_cast<std::int64_t>(order.size());
  const std::int64_t mega = batch * std::max<std::int64_t>(1, std::min<std::int64_t>(rows / (batch * 4), 50));
  std::int64_t longest = 0;
  for (std::int64_t begin = 0; begin < rows; begin += mega) {
    std::stable_sort(order.begin() + begin, order.begin() + std::min(begin + mega, rows),
                     [&](std::int64_t a, std::int64_t b) { return lengths[a] > lengths[b]; });
    if (lengths[order[begin]] > lengths[order[longest]]) longest = begin;
  }
  if (rows > 0) std::swap(order[0], order[longest]);
}

}  // namespace

Plan::Plan(const TrainingOptions& options, std::uint64_t seed, std::vector<std::int64_t> lengths)
    : options_(options), order_seed_(options.data_seed.value_or(seed)), lengths_(std::move(lengths)) {
  if (lengths_.empty()) {
    throw Error(ErrorKind::data, {.file = "", .what = "there are no training rows", .where = "data.train", .hint = ""});
  }
  const auto rows = static_cast<std::int64_t>(lengths_.size());
  batches_per_epoch_ = divide_up(rows, options_.per_device_train_batch_size);
  steps_per_epoch_ = divide_up(batches_per_epoch_, options_.gradient_accumulation_steps);
  total_steps_ =
      options_.max_steps > 0
          ? options_.max_steps
          : static_cast<std::int64_t>(std::ceil(options_.num_train_epochs * static_cast<double>(steps_per_epoch_)));
  eval_interval_ = options_.eval_steps > 0 ? interval(options_.eval_steps) : options_.logging_steps;
  save_interval_ = interval(options_.save_steps);
}

std::int64_t Plan::interval(double setting) const {
  const double steps = setting < 1 ? std::ceil(setting * static_cast<double>(total_steps_)) : setting;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps));
}

double Plan::epoch_after(std::int64_t step) const {
  const std::int64_t batches =
      std::min(step % steps_per_epoch_ * options_.gradient_accumulation_steps, batches_per_epoch_);
  return static_cast<double>(step / steps_per_epoch_) +
         static_cast<double>(batches) / static_cast<double>(batches_per_epoch_);
}

std::vector<std::int64_t> Plan::order(std::int64_t epoch) const {
  const auto count = static_cast<std::int64_t>(lengths_.size());
  if (options_.train_sampling_strategy == "sequential") {
    std::vector<std::int64_t> rows(lengths_.size());
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    return rows;
  }
  auto rows = torch_randperm(count, order_seed_ + static_cast<std::uint64_t>(epoch));
  if (options_.group_by_length) group_by_length(rows, lengths_, options_.per_device_train_batch_size);
  return rows;
}

Window Plan::window(std::int64_t step) const {
  const std::int64_t epoch = step / steps_per_epoch_;
  if (epoch != cached_epoch_) {
    cached_order_ = order(epoch);
    cached_epoch_ = epoch;
  }
  const std::int64_t first = step % steps_per_epoch_ * options_.gradient_accumulation_steps;
  const std::int64_t last = std::min(first + options_.gradient_accumulation_steps, batches_per_epoch_);
  const auto rows = static_cast<std::int64_t>(cached_order_.size());
  Window window{.epoch = epoch, .batches = {}};
  for (std::int64_t batch = first; batch < last; ++batch) {
    const std::int64_t begin = batch * options_.per_device_train_batch_size;
    const std::int64_t end = std::min(begin + options_.per_device_train_batch_size, rows);
    window.batches.emplace_back(cached_order_.begin() + begin, cached_order_.begin() + end);
  }
  return window;
}

bool Plan::ends_epoch(std::int64_t step) const {
  return step % steps_per_epoch_ == 0 || step == total_steps_;
}

bool Plan::due(const std::string& strategy, std::int64_t interval, std::int64_t step) const {
  if (strategy == "epoch") return ends_epoch(step);
  return strategy == "steps" && step % interval == 0;
}

bool Plan::logs(std::int64_t step) const {
  return due(options_.logging_strategy, options_.logging_steps, step);
}

bool Plan::evaluates(std::int64_t step) const {
  return due(options_.eval_strategy, eval_interval_, step) ||
         (options_.eval_strategy == "steps" && step == total_steps_);
}

bool Plan::saves(std::int64_t step) const {
  return due(options_.save_strategy, save_interval_, step) ||
         (options_.save_strategy == "steps" && step == total_steps_);
}

}  // namespace attune::train
