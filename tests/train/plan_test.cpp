// Batches of tokens: which rows meet, how many steps that makes, and that a step stays what it is.
#include "attune/train/plan.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "catch.h"
#include "train/fake.h"

using namespace attune;
using testing::FakeRun;
using train::Plan;
using train::TrainingOptions;

namespace {

constexpr std::int64_t kBudget = 64;

/// Lengths from 1 to 40, long ones rarer.
Plan::Numbers ragged_lengths(std::int64_t count) {
  const RandomKey key(3, "lengths");
  Plan::Numbers lengths;
  for (std::int64_t i = 0; i < count; ++i) lengths.push_back(1 + static_cast<std::uint32_t>(40 * key.uniform(i) * key.uniform(i + count)));
  return lengths;
}

TrainingOptions by_tokens(std::int64_t accumulation = 1) {
  TrainingOptions options;
  options.batch_by = "tokens";
  options.tokens_per_batch = kBudget;
  options.gradient_accumulation_steps = accumulation;
  return options;
}

struct Seen {
  std::vector<std::vector<std::vector<std::int64_t>>> epochs;  ///< their batches
  std::vector<std::int64_t> last_steps;                        ///< of each epoch, counted from 1
};

/// All that the steps of a plan read.
Seen read_all(const Plan& plan) {
  Seen seen;
  for (std::int64_t step = 0; step < plan.total_steps(); ++step) {
    const train::Window window = plan.window(step);
    if (static_cast<std::size_t>(window.epoch) == seen.epochs.size()) {
      seen.epochs.emplace_back();
      seen.last_steps.push_back(0);
    }
    REQUIRE(static_cast<std::size_t>(window.epoch) + 1 == seen.epochs.size());
    REQUIRE_FALSE(window.batches.empty());
    for (const auto& batch : window.batches) seen.epochs.back().push_back(batch);
    seen.last_steps.back() = step + 1;
  }
  return seen;
}

std::int64_t tokens_of(const std::vector<std::int64_t>& batch, const Plan::Numbers& lengths) {
  return std::accumulate(batch.begin(), batch.end(), std::int64_t{0}, [&](std::int64_t sum, std::int64_t row) { return sum + lengths[row]; });
}

}  // namespace

TEST_CASE("batches of tokens read every row once an epoch and keep their budget", "[train][plan]") {
  const auto lengths = ragged_lengths(700);
  const Seen seen = read_all(Plan(by_tokens(), 1, lengths));
  REQUIRE(seen.epochs.size() == 3);
  const std::int64_t all = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  for (const auto& batches : seen.epochs) {
    std::multiset<std::int64_t> rows;
    for (const auto& batch : batches) {
      rows.insert(batch.begin(), batch.end());
      CHECK(tokens_of(batch, lengths) <= kBudget);
    }
    CHECK(rows.size() == 700);
    CHECK(std::set<std::int64_t>(rows.begin(), rows.end()).size() == 700);
    CHECK(static_cast<double>(batches.size()) < 1.35 * static_cast<double>(all) / kBudget);  // and they are full
  }
  CHECK(seen.epochs[0] != seen.epochs[1]);
}

TEST_CASE("rows of a batch of tokens are about equally long, and short batches do not come last", "[train][plan]") {
  const auto lengths = ragged_lengths(400);  // fewer tokens than a window of 100 batches: sorted as one
  const Seen seen = read_all(Plan(by_tokens(), 1, lengths));
  std::vector<std::int64_t> longest;
  for (const auto& batch : seen.epochs[0]) {
    CHECK(std::is_sorted(batch.begin(), batch.end(), [&](std::int64_t a, std::int64_t b) { return lengths[a] > lengths[b]; }));
    longest.push_back(lengths[batch.front()]);
  }
  std::int64_t overlapping = 0;
  for (const auto& batch : seen.epochs[0]) {
    for (const auto& other : seen.epochs[0]) {
      overlapping += lengths[batch.back()] < lengths[other.back()] && lengths[batch.front()] > lengths[other.front()] ? 1 : 0;
    }
  }
  CHECK(overlapping == 0);
  CHECK_FALSE(std::is_sorted(longest.rbegin(), longest.rend()));
  CHECK_FALSE(std::is_sorted(longest.begin(), longest.end()));
}

TEST_CASE("steps of batches of tokens are known before the first one", "[train][plan]") {
  const auto lengths = ragged_lengths(700);
  for (const std::int64_t accumulation : {1, 3}) {
    const Plan plan(by_tokens(accumulation), 1, lengths);
    const Seen seen = read_all(plan);
    REQUIRE(seen.epochs.size() == 3);
    CHECK(seen.last_steps.back() == plan.total_steps());
    std::int64_t step = 0;
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
      const auto batches = static_cast<std::int64_t>(seen.epochs[epoch].size());
      CHECK(plan.epoch_end(step) == seen.last_steps[epoch]);
      CHECK(seen.last_steps[epoch] - step == (batches + accumulation - 1) / accumulation);
      CHECK(plan.epoch_after(step + 1) == Approx(static_cast<double>(epoch) + static_cast<double>(accumulation) / static_cast<double>(batches)));
      CHECK_FALSE(plan.ends_epoch(step + 1));
      step = seen.last_steps[epoch];
      CHECK(plan.ends_epoch(step));
      CHECK(plan.epoch_after(step) == static_cast<double>(epoch + 1));
    }
  }
}

TEST_CASE("a part of an epoch, or a number of steps, ends batches of tokens where it should", "[train][plan]") {
  const auto lengths = ragged_lengths(700);
  const Plan whole(by_tokens(), 1, lengths);
  TrainingOptions part = by_tokens();
  part.num_train_epochs = 1.5;
  const std::int64_t first = whole.epoch_end(0), second = whole.epoch_end(first) - first;
  CHECK(Plan(part, 1, lengths).total_steps() == first + (second + 1) / 2);
  part.max_steps = first + 2;
  const Plan limited(part, 1, lengths);
  CHECK(limited.total_steps() == first + 2);
  CHECK(limited.window(first + 1).batches == whole.window(first + 1).batches);
  CHECK(limited.ends_epoch(first));
  CHECK(limited.ends_epoch(first + 2));
  part.max_steps = 3 * whole.total_steps();  // more epochs than num_train_epochs
  const Plan longer(part, 1, lengths);
  CHECK(longer.total_steps() == 3 * whole.total_steps());
  CHECK(longer.window(whole.total_steps()).epoch == 3);
}

TEST_CASE("batches of tokens are a function of seed, epoch and lengths", "[train][plan]") {
  const auto lengths = ragged_lengths(300);
  const Plan plan(by_tokens(), 1, lengths), same(by_tokens(), 1, lengths), other(by_tokens(), 2, lengths);
  const std::int64_t last = plan.total_steps() - 1;
  const auto late = plan.window(last).batches;  // asked for out of order
  CHECK(same.window(0).batches == plan.window(0).batches);
  CHECK(same.window(last).batches == late);
  CHECK(read_all(other).epochs != read_all(plan).epochs);
  TrainingOptions seeded = by_tokens();
  seeded.data_seed = 2;
  CHECK(read_all(Plan(seeded, 1, lengths)).epochs == read_all(other).epochs);
  TrainingOptions sequential = by_tokens();
  sequential.train_sampling_strategy = "sequential";
  const Seen in_order = read_all(Plan(sequential, 1, lengths));
  std::vector<std::int64_t> rows;
  for (const auto& batch : in_order.epochs[1]) rows.insert(rows.end(), batch.begin(), batch.end());
  CHECK(std::is_sorted(rows.begin(), rows.end()));
  CHECK(in_order.epochs[0] == in_order.epochs[1]);
}

TEST_CASE("whoever arranges the rows of an epoch has the last word, but where their order is fixed", "[train][plan]") {
  const auto backwards = [](std::int64_t epoch, Plan::Numbers order) {
    if (epoch == 1) std::ranges::reverse(order);
    return order;
  };
  TrainingOptions options;
  const Plan plan(options, 1, Plan::Numbers(20, 4), {}, backwards), plain(options, 1, Plan::Numbers(20, 4));
  CHECK(plan.order(0) == plain.order(0));
  Plan::Numbers reversed = plain.order(1);
  std::ranges::reverse(reversed);
  CHECK(plan.order(1) == reversed);
  options.train_sampling_strategy = "sequential";
  CHECK(Plan(options, 1, Plan::Numbers(20, 4), {}, backwards).order(1).front() == 0);
}

TEST_CASE("a mixture reads as often as its weights say in batches of tokens too", "[train][plan]") {
  const auto lengths = ragged_lengths(60);
  std::vector<double> passes(30, 0.5);
  passes.insert(passes.end(), 30, 2.0);
  const Seen seen = read_all(Plan(by_tokens(), 1, lengths, passes));
  for (const auto& batches : seen.epochs) {
    std::map<std::int64_t, int> count;
    for (const auto& batch : batches) {
      for (const std::int64_t row : batch) ++count[row];
    }
    CHECK(std::count_if(count.begin(), count.end(), [](const auto& entry) { return entry.first < 30; }) == 15);
    CHECK(std::all_of(count.begin(), count.end(), [](const auto& entry) { return entry.second == (entry.first < 30 ? 1 : 2); }));
  }
}

TEST_CASE("the loss of a step does not depend on how its tokens are cut into batches", "[train][plan]") {
  std::vector<train::TrajectoryPoint> points;
  for (const auto& [budget, accumulation] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1000, 1}, {20, 100}, {7, 100}}) {
    FakeRun run({.dropout = 0.1});
    run.job.options.batch_by = "tokens";
    run.job.options.tokens_per_batch = budget;
    run.job.options.gradient_accumulation_steps = accumulation;
    run.job.options.num_train_epochs = 1;
    run.job.options.max_grad_norm = 0;
    const train::TrainResult result = run.train();
    REQUIRE(result.steps == 1);  // all rows, weights 1 and 2 among them
    points.push_back(result.trajectory[0]);
    CHECK(points.back().loss == Approx(points.front().loss).epsilon(1e-6));
    CHECK(points.back().grad_norm == Approx(points.front().grad_norm).epsilon(1e-5));
  }
}
