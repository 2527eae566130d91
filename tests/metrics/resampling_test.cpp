// Intervals by resampling against numpy's and scipy's, within what so many draws leave to chance.
#include <nlohmann/json.hpp>

#include "attune/metrics/classification.h"
#include "attune/metrics/intervals.h"
#include "attune/metrics/learning_curve.h"
#include "attune/metrics/variance.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using attune::testing::check_number;

namespace {

/// Ends of intervals of as many draws scatter by less than `share` of the interval's width.
void check_ends(const std::string& name, Interval interval, const nlohmann::json& golden, double share = 0.06) {
  const double low = golden[0], high = golden[1];
  INFO(name << ": [" << interval.low << ", " << interval.high << "], golden " << golden.dump());
  CHECK(interval.low == Approx(low).margin(share * (high - low)));
  CHECK(interval.high == Approx(high).margin(share * (high - low)));
}

Interval named(const NamedIntervals& intervals, const std::string& name) {
  for (const auto& [metric, interval] : intervals) {
    if (metric == name) return interval;
  }
  return {kNaN, kNaN};
}

}  // namespace

TEST_CASE("bootstrap intervals of grouped and weighted rows equal numpy's", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/resampled.json");
  const auto values = golden["values"].get<std::vector<double>>(),
             weights = golden["weights"].get<std::vector<double>>();
  const auto groups = golden["groups"].get<std::vector<std::int64_t>>();
  const WeightedValues mean = [&](std::span<const double> of) -> Values {
    double sum = 0, total = 0;
    for (std::size_t row = 0; row < values.size(); ++row) {
      sum += of[row] * values[row];
      total += of[row];
    }
    return {{"mean", sum / total}};
  };
  check_number("mean", value_of(mean(weights), "mean"), golden["mean"]["value"]);
  for (const auto& [level, key] : {std::pair{0.95, "95"}, std::pair{0.8, "80"}}) {
    const BootstrapOptions options{.resamples = 10'000, .level = level, .groups = groups, .weights = weights};
    check_ends(key, bootstrap(values.size(), mean, options).front().second, golden["mean"][key]);
  }
}

TEST_CASE("bootstrap intervals of accuracy and macro F1 equal numpy's over scikit-learn's scores",
          "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/resampled.json");
  const auto gold = golden["gold"].get<std::vector<std::int64_t>>(),
             predicted = golden["predicted"].get<std::vector<std::int64_t>>();
  const std::vector<std::string> labels = {"a", "b", "c"};
  const ClassificationScorer scorer({.gold = gold, .predicted = predicted, .labels = labels});
  const NamedIntervals found =
      bootstrap(gold.size(), [&](std::span<const double> of) { return scorer.values(of); }, {.resamples = 10'000});
  for (const char* metric : {"accuracy", "f1_macro"}) check_ends(metric, named(found, metric), golden[metric]);
}

TEST_CASE("bands of learning curves over seeds equal those of scipy's fits", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/resampled.json")["band"];
  std::vector<LearningPoint> points;
  for (const auto& point : golden["points"])
    points.push_back({.labels = point[0], .score = point[1], .seed = point[2]});
  const LearningCurve curve = LearningCurve::fitted(points, {.bounds = {0, 1}, .resamples = 4000});
  for (std::size_t i = 0; i < golden["at"].size(); ++i)
    check_ends(golden["at"][i].dump(), curve.at(golden["at"][i]).interval, golden["intervals"][i], 0.1);
  check_ends("gain", curve.gain(128, 100).interval, golden["gain"], 0.1);
}

TEST_CASE("flip rates are the unbiased estimate of Gini's index", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/resampled.json")["flips"];
  const auto rates = flip_rates(golden["predicted"].get<std::vector<std::vector<std::int64_t>>>());
  REQUIRE(rates.size() == golden["rates"].size());
  for (std::size_t row = 0; row < rates.size(); ++row) check_number("row", rates[row], golden["rates"][row]);
}
