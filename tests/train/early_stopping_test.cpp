// Early stopping and the best model on scripted metric lists; expectations follow Transformers' EarlyStoppingCallback.
#include "attune/train/early_stopping.h"

#include <limits>
#include <vector>

#include "catch.h"
#include "train/fake.h"

using namespace attune;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The evaluation (counted from 1) after which training stops; 0 for never.
int stops_after(const std::vector<double>& values, std::int64_t patience, double threshold, bool greater) {
  train::EarlyStopping stopping({.enabled = true, .patience = patience, .threshold = threshold}, greater);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (stopping.update(values[i])) return static_cast<int>(i) + 1;
  }
  return 0;
}

}  // namespace

TEST_CASE("early stopping waits for patience evaluations without an improvement", "[train]") {
  CHECK(stops_after({3, 2, 1, 1, 1}, 2, 0, false) == 5);
  CHECK(stops_after({3, 2, 4, 1, 4, 4}, 2, 0, false) == 6);
  CHECK(stops_after({1, 2, 3, 4, 5}, 1, 0, false) == 2);
  CHECK(stops_after({0.1, 0.2, 0.3}, 1, 0, true) == 0);
  CHECK(stops_after({0.3, 0.2, 0.1}, 2, 0, true) == 3);
}

TEST_CASE("small improvements count for nothing but still move the best value", "[train]") {
  // 1.0 → 0.95 → 0.90 → 0.85: each is better by less than the threshold than the one before.
  CHECK(stops_after({1.0, 0.95, 0.90, 0.85}, 3, 0.1, false) == 4);
  CHECK(stops_after({1.0, 0.95, 0.80, 0.75}, 2, 0.1, false) == 0);
}

TEST_CASE("a NaN never counts as an improvement", "[train]") {
  CHECK(stops_after({1.0, kNan, kNan}, 2, 0, false) == 3);
  CHECK(stops_after({kNan, kNan, 1.0, 0.5}, 2, 0, false) == 0);
  train::Best best(false);
  CHECK_FALSE(best.update(kNan, 1));
  CHECK(best.update(2.0, 2));
  CHECK_FALSE(best.update(kNan, 3));
  CHECK_FALSE(best.update(2.0, 4));
  CHECK(*best.step == 2);
}

TEST_CASE("more is better unless the metric is a loss", "[train]") {
  CHECK_FALSE(train::greater_is_better("eval_loss", "auto"));
  CHECK(train::greater_is_better("eval_accuracy", "auto"));
  CHECK(train::greater_is_better("eval_loss", "max"));
  CHECK_FALSE(train::greater_is_better("perplexity", "min"));
  CHECK_FALSE(train::greater_is_better("eval_rmse", "auto"));
  CHECK_FALSE(train::greater_is_better("ece", "auto"));
  CHECK(train::greater_is_better("eval_cost", "auto"));
}

TEST_CASE("training stops early and ends with the best model", "[train]") {
  const std::vector<double> script = {0.5, 0.7, 0.9, 0.8, 0.9, 1.0};
  testing::FakeRun run, until_best;
  run.task.script = [&](int i) { return script.at(i); };
  run.validate_each("steps", 2);
  run.job.early_stopping = {.enabled = true, .patience = 2, .metric = "scripted"};
  const train::TrainResult result = run.train();
  CHECK(result.stopped_by == "early_stopping");
  CHECK(result.steps == 10);  // evaluations at 2, 4, 6, 8, 10
  CHECK(*result.best_step == 6);
  CHECK(result.best_metric == 0.9);
  until_best.job.stop_after = 6;
  until_best.train();
  CHECK(run.hash() == until_best.hash());
}

TEST_CASE("what is not better at the last step stops nothing early", "[train]") {
  testing::FakeRun run;
  run.task.script = [](int i) { return i == 0 ? 0.9 : 0.5; };
  run.validate_each("epoch");
  run.job.early_stopping = {.enabled = true, .patience = 2, .metric = "scripted"};
  const train::TrainResult result = run.train();
  CHECK(result.stopped_by == "end");
  CHECK(result.steps == 15);
  CHECK(*result.best_step == 5);
}

TEST_CASE("without load_best_model_at_end the last model stays", "[train]") {
  testing::FakeRun run, until_end;
  run.task.script = [](int i) { return -i; };
  run.validate_each("epoch");
  run.job.options.metric_for_best_model = "scripted";
  run.job.options.load_best_model_at_end = false;
  CHECK(*run.train().best_step == 5);
  until_end.train();
  CHECK(run.hash() == until_end.hash());
}
