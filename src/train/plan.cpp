// See plan.h. Counts as Trainer.set_initial_training_values and DefaultFlowCallback of Transformers 5.23 make them.
#include "attune/train/plan.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/random.h"

namespace attune::train {

namespace {

/// Under batch_by "tokens" so many batches' tokens are sorted by length together: rows of a batch are about equally long,
/// and which rows meet is still drawn anew in each epoch. (Marian sorts as many: --maxi-batch 100.)
constexpr std::int64_t kBatchesInWindow = 100;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// The reference's length-grouped order: mega-batches of the shuffled rows, each sorted by length, longest row first of
/// all.
void group_by_length(Plan::Numbers& order, const Plan::Numbers& lengths, std::int64_t batch) {
  const auto rows = static_cast<std::int64_t>(order.size());
  const std::int64_t mega = batch * std::max<std::int64_t>(1, std::min<std::int64_t>(rows / (batch * 4), 50));
  std::int64_t longest = 0;
  for (std::int64_t begin = 0; begin < rows; begin += mega) {
    std::stable_sort(order.begin() + begin, order.begin() + std::min(begin + mega, rows),
                     [&](std::uint32_t a, std::uint32_t b) { return lengths[a] > lengths[b]; });
    if (lengths[order[begin]] > lengths[order[longest]]) longest = begin;
  }
  if (rows > 0) std::swap(order[0], order[longest]);
}

}  // namespace

Plan::Plan(const TrainingOptions& options, std::uint64_t seed, Numbers lengths,
           const std::vector<double>& passes, Arrange arrange)
    : options_(options),
      order_seed_(options.data_seed.value_or(seed)),
      rows_(lengths.size()),
      arrange_(std::move(arrange)) {
  if (rows_ == 0) {
    throw Error(ErrorKind::data, {.file = "", .what = "there are no training rows", .where = "data.train", .hint = ""});
  }
  if (rows_ > std::numeric_limits<std::uint32_t>::max()) internal_error("more rows than numbers of four bytes");
  if (options_.batch_by == "tokens" || options_.group_by_length) lengths_ = std::move(lengths);
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
  if (passes.empty()) {
    rows_per_epoch_ = static_cast<std::int64_t>(rows_);
    return;
  }
  for (std::size_t row = 0; row < rows_; ++row) {
    const auto same = [&](const Share& other) { return other.passes == passes[row]; };
    auto share = std::find_if(shares_.begin(), shares_.end(), same);
    if (share == shares_.end()) share = shares_.insert(shares_.end(), {.passes = passes[row], .rows = {}});
    share->rows.push_back(static_cast<std::uint32_t>(row));
  }
  for (Share& share : shares_) {
    const double draws = std::round(share.passes * static_cast<double>(share.rows.size()));
    share.draws = std::max<std::int64_t>(1, static_cast<std::int64_t>(draws));
    rows_per_epoch_ += share.draws;
  }
}

Plan::Numbers Plan::drawn(std::int64_t epoch) const {
  Numbers rows;
  if (shares_.empty()) {
    rows.resize(rows_);
    std::iota(rows.begin(), rows.end(), 0u);
  }
  for (const Share& share : shares_) {
    const auto count = static_cast<std::int64_t>(share.rows.size());
    for (std::int64_t pass = 0; pass < share.draws / count; ++pass) rows.insert(rows.end(), share.rows.begin(), share.rows.end());
    Numbers rest = torch_randperm<std::uint32_t>(count, order_seed_ + static_cast<std::uint64_t>(epoch));
    rest.resize(static_cast<std::size_t>(share.draws % count));
    std::sort(rest.begin(), rest.end());
    for (const std::uint32_t place : rest) rows.push_back(share.rows[place]);
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
    const auto count = static_cast<std::int64_t>(unshuffled(number).ends.size());
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

Plan::Numbers Plan::order(std::int64_t epoch) const {
  if (options_.train_sampling_strategy == "sequential") return drawn(epoch);
  Numbers order = torch_randperm<std::uint32_t>(rows_per_epoch_, order_seed_ + static_cast<std::uint64_t>(epoch));
  if (!shares_.empty()) {
    const Numbers rows = drawn(epoch);
    for (std::uint32_t& place : order) place = rows[place];
  }
  if (options_.group_by_length) group_by_length(order, lengths_, options_.per_device_train_batch_size);
  if (arrange_) return arrange_(epoch, std::move(order));
  return order;
}

void Plan::cut(std::size_t begin, std::size_t end, Batches& batches) const {
  const std::int64_t budget = *options_.tokens_per_batch;
  std::int64_t tokens = budget;
  for (; begin < end; ++begin) {
    const std::int64_t length = lengths_[batches.rows[begin]];
    if (tokens + length > budget) {
      batches.ends.push_back(begin);
      tokens = 0;
    }
    batches.ends.back() = begin + 1;
    tokens += length;
  }
}

Plan::Batches Plan::unshuffled(std::int64_t epoch) const {
  const std::int64_t window = kBatchesInWindow * *options_.tokens_per_batch;
  Batches batches{.rows = order(epoch), .ends = {}};
  const Numbers::iterator first = batches.rows.begin(), last = batches.rows.end();
  if (options_.train_sampling_strategy == "sequential") {
    cut(0, batches.rows.size(), batches);
    return batches;
  }
  for (auto begin = first; begin != last;) {
    auto end = begin;
    for (std::int64_t tokens = 0; end != last && tokens < window; ++end) tokens += lengths_[*end];
    std::stable_sort(begin, end, [&](std::uint32_t a, std::uint32_t b) { return lengths_[a] > lengths_[b]; });
    cut(static_cast<std::size_t>(begin - first), static_cast<std::size_t>(end - first), batches);
    begin = end;
  }
  return batches;
}

Plan::Batches Plan::token_batches(std::int64_t epoch) const {
  Batches batches = unshuffled(epoch);
  if (options_.train_sampling_strategy == "sequential") return batches;
  const RandomKey key = RandomKey(order_seed_, "batches").with(static_cast<std::uint64_t>(epoch));
  Batches shuffled;
  shuffled.rows.reserve(batches.rows.size());
  for (const std::int64_t place : key.permutation(static_cast<std::int64_t>(batches.ends.size()))) {
    const auto begin = place == 0 ? 0 : static_cast<std::ptrdiff_t>(batches.ends[static_cast<std::size_t>(place - 1)]);
    const auto end = static_cast<std::ptrdiff_t>(batches.ends[static_cast<std::size_t>(place)]);
    shuffled.rows.insert(shuffled.rows.end(), batches.rows.begin() + begin, batches.rows.begin() + end);
    shuffled.ends.push_back(shuffled.rows.size());
  }
  return shuffled;
}

Plan::Batches Plan::batches(std::int64_t epoch) const {
  if (options_.batch_by == "tokens") return token_batches(epoch);
  const auto size = static_cast<std::size_t>(options_.per_device_train_batch_size);
  Batches batches{.rows = order(epoch), .ends = {}};
  for (std::size_t begin = 0; begin < batches.rows.size(); begin += size) {
    batches.ends.push_back(std::min(begin + size, batches.rows.size()));
  }
  return batches;
}

Window Plan::window(std::int64_t step) const {
  const Epoch epoch = epoch_of(step);
  if (epoch.number != cached_epoch_) {
    cached_batches_ = {};  // two epochs of a million rows need not be in memory
    cached_batches_ = batches(epoch.number);
    cached_epoch_ = epoch.number;
  }
  const std::int64_t first = (step - epoch.first_step) * options_.gradient_accumulation_steps;
  const std::int64_t last = std::min(first + options_.gradient_accumulation_steps, epoch.batches);
  Window window{.epoch = epoch.number, .batches = {}};
  for (std::int64_t batch = first; batch < last; ++batch) {
    const auto& [rows, ends] = cached_batches_;
    const auto begin = batch == 0 ? 0 : static_cast<std::ptrdiff_t>(ends[static_cast<std::size_t>(batch - 1)]);
    const auto end = static_cast<std::ptrdiff_t>(ends[static_cast<std::size_t>(batch)]);
    window.batches.emplace_back(rows.begin() + begin, rows.begin() + end);
  }
  return window;
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
