// See plan.h. Counts as Trainer.set_initial_training_values and DefaultFlowCallback of Transformers 5.23 make them.
#include "attune/train/plan.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/random.h"

namespace attune::train {

namespace {

using Batches = std::vector<std::vector<std::int64_t>>;

/// Under batch_by "tokens" so many batches' tokens are sorted by length together: rows of a batch are about equally long,
/// and which rows meet is still drawn anew in each epoch. (Marian sorts as many: --maxi-batch 100.)
constexpr std::int64_t kBatchesInWindow = 100;

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

/// Adds the rows [begin, end) of `order` to the batches, in this order, a new batch where the budget would be exceeded.
void fill(Batches& batches, std::span<const std::int64_t> order, const std::vector<std::int64_t>& lengths,
          std::int64_t budget) {
  std::int64_t tokens = budget;
  for (const std::int64_t row : order) {
    if (tokens + lengths[row] > budget) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(row);
    tokens += lengths[row];
  }
}

}  // namespace

Plan::Plan(const TrainingOptions& options, std::uint64_t seed, std::vector<std::int64_t> lengths,
           const std::vector<double>& passes)
    : options_(options), order_seed_(options.data_seed.value_or(seed)), lengths_(std::move(lengths)) {
  if (lengths_.empty()) {
    throw Error(ErrorKind::data, {.file = "", .what = "there are no training rows", .where = "data.train", .hint = ""});
  }
  share_out(passes);
  if (options_.batch_by == "tokens") {
    count_epochs();
  } else {
    batches_per_epoch_ = divide_up(rows_per_epoch_, options_.per_device_train_batch_size);
    steps_per_epoch_ = divide_up(batches_per_epoch_, options_.gradient_accumulation_steps);
    total_steps_ =
        options_.max_steps > 0
            ? options_.max_steps
            : static_cast<std::int64_t>(std::ceil(options_.num_train_epochs * static_cast<double>(steps_per_epoch_)));
  }
  eval_interval_ = options_.eval_steps > 0 ? interval(options_.eval_steps) : options_.logging_steps;
  save_interval_ = interval(options_.save_steps);
}

void Plan::share_out(const std::vector<double>& passes) {
  for (std::size_t row = 0; row < lengths_.size(); ++row) {
    const double wanted = passes.empty() ? 1.0 : passes[row];
    auto share = std::find_if(shares_.begin(), shares_.end(), [&](const Share& other) { return other.passes == wanted; });
    if (share == shares_.end()) share = shares_.insert(shares_.end(), {.passes = wanted, .rows = {}});
    share->rows.push_back(static_cast<std::int64_t>(row));
  }
  for (Share& share : shares_) {
    const double draws = std::round(share.passes * static_cast<double>(share.rows.size()));
    share.draws = std::max<std::int64_t>(1, static_cast<std::int64_t>(draws));
    rows_per_epoch_ += share.draws;
  }
}

std::vector<std::int64_t> Plan::drawn(std::int64_t epoch) const {
  std::vector<std::int64_t> rows;
  for (const Share& share : shares_) {
    const auto count = static_cast<std::int64_t>(share.rows.size());
    for (std::int64_t pass = 0; pass < share.draws / count; ++pass) rows.insert(rows.end(), share.rows.begin(), share.rows.end());
    std::vector<std::int64_t> rest = torch_randperm(count, order_seed_ + static_cast<std::uint64_t>(epoch));
    rest.resize(static_cast<std::size_t>(share.draws % count));
    std::sort(rest.begin(), rest.end());
    for (const std::int64_t place : rest) rows.push_back(share.rows[static_cast<std::size_t>(place)]);
  }
  return rows;
}

std::int64_t Plan::interval(double setting) const {
  const double steps = setting < 1 ? std::ceil(setting * static_cast<double>(total_steps_)) : setting;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps));
}

void Plan::count_epochs() {
  const bool by_steps = options_.max_steps > 0;
  const auto passes = [&](std::int64_t epoch) {  // of this epoch
    return by_steps ? 1.0 : std::min(1.0, options_.num_train_epochs - static_cast<double>(epoch));
  };
  for (std::int64_t number = 0; passes(number) > 0 && (!by_steps || total_steps_ < options_.max_steps); ++number) {
    const auto count = static_cast<std::int64_t>(token_batches(number).size());
    epochs_.push_back({.number = number, .first_step = total_steps_, .batches = count});
    total_steps_ += static_cast<std::int64_t>(std::ceil(passes(number) * static_cast<double>(steps_of(epochs_.back()))));
  }
  if (by_steps) total_steps_ = options_.max_steps;
}

std::int64_t Plan::steps_of(const Epoch& epoch) const {
  return divide_up(epoch.batches, options_.gradient_accumulation_steps);
}

Plan::Epoch Plan::epoch_of(std::int64_t step) const {
  if (epochs_.empty()) {
    const std::int64_t number = step / steps_per_epoch_;
    return {.number = number, .first_step = number * steps_per_epoch_, .batches = batches_per_epoch_};
  }
  const auto later = std::upper_bound(epochs_.begin(), epochs_.end(), step,
                                      [](std::int64_t wanted, const Epoch& epoch) { return wanted < epoch.first_step; });
  const Epoch& found = *std::prev(later);
  if (step < found.first_step + steps_of(found)) return found;
  return {.number = found.number + 1, .first_step = step, .batches = 0};
}

std::int64_t Plan::epoch_end(std::int64_t step) const {
  const Epoch epoch = epoch_of(step);
  return epoch.first_step + steps_of(epoch);
}

double Plan::epoch_after(std::int64_t step) const {
  const Epoch epoch = epoch_of(step);
  const std::int64_t done =
      std::min((step - epoch.first_step) * options_.gradient_accumulation_steps, epoch.batches);
  return static_cast<double>(epoch.number) +
         (done > 0 ? static_cast<double>(done) / static_cast<double>(epoch.batches) : 0.0);
}

std::vector<std::int64_t> Plan::order(std::int64_t epoch) const {
  std::vector<std::int64_t> rows = drawn(epoch);
  if (options_.train_sampling_strategy == "sequential") return rows;
  auto places = torch_randperm(rows_per_epoch_, order_seed_ + static_cast<std::uint64_t>(epoch));
  for (std::int64_t& place : places) place = rows[static_cast<std::size_t>(place)];
  rows = std::move(places);
  if (options_.group_by_length) group_by_length(rows, lengths_, options_.per_device_train_batch_size);
  return rows;
}

Batches Plan::token_batches(std::int64_t epoch) const {
  const std::int64_t budget = *options_.tokens_per_batch;
  std::vector<std::int64_t> rows = order(epoch);
  Batches batches;
  if (options_.train_sampling_strategy == "sequential") {
    fill(batches, rows, lengths_, budget);
    return batches;
  }
  for (auto begin = rows.begin(); begin != rows.end();) {
    auto end = begin;
    for (std::int64_t tokens = 0; end != rows.end() && tokens < kBatchesInWindow * budget; ++end) tokens += lengths_[*end];
    std::stable_sort(begin, end, [&](std::int64_t a, std::int64_t b) { return lengths_[a] > lengths_[b]; });
    fill(batches, {begin, end}, lengths_, budget);
    begin = end;
  }
  const RandomKey key = RandomKey(order_seed_, "batches").with(static_cast<std::uint64_t>(epoch));
  Batches shuffled;
  for (const std::int64_t place : key.permutation(static_cast<std::int64_t>(batches.size()))) {
    shuffled.push_back(std::move(batches[static_cast<std::size_t>(place)]));
  }
  return shuffled;
}

Batches Plan::batches(std::int64_t epoch) const {
  if (options_.batch_by == "tokens") return token_batches(epoch);
  const std::vector<std::int64_t> rows = order(epoch);
  const auto size = static_cast<std::size_t>(options_.per_device_train_batch_size);
  Batches batches;
  for (std::size_t begin = 0; begin < rows.size(); begin += size) {
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(begin);
    batches.emplace_back(first, first + static_cast<std::ptrdiff_t>(std::min(size, rows.size() - begin)));
  }
  return batches;
}

Window Plan::window(std::int64_t step) const {
  const Epoch epoch = epoch_of(step);
  if (epoch.number != cached_epoch_) {
    cached_batches_ = batches(epoch.number);
    cached_epoch_ = epoch.number;
  }
  const std::int64_t first = (step - epoch.first_step) * options_.gradient_accumulation_steps;
  const std::int64_t last = std::min(first + options_.gradient_accumulation_steps, epoch.batches);
  return {.epoch = epoch.number, .batches = {cached_batches_.begin() + first, cached_batches_.begin() + last}};
}

bool Plan::ends_epoch(std::int64_t step) const {
  return epoch_of(step).first_step == step || step == total_steps_;
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
