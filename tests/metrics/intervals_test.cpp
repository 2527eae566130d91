// Quantiles and intervals against scipy's, and the coverage of the bootstrap.
#include "attune/metrics/intervals.h"

#include <cmath>

#include "attune/base/error.h"
#include "attune/metrics/distributions.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using attune::testing::check_number;

namespace {

/// The weighted mean of `data` as the one metric of a bootstrap.
WeightedValues mean_of(const std::vector<double>& data) {
  return [&data](std::span<const double> weights) -> Values {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
      sum += weights[i] * data[i];
      total += weights[i];
    }
    return {{"mean", sum / total}};
  };
}

std::vector<double> normal_numbers(std::size_t count, std::uint64_t seed) {
  const attune::RandomKey key(seed, "test");
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(key.normal(i));
  return numbers;
}

double width(const Interval& interval) {
  return interval.high - interval.low;
}

}  // namespace

TEST_CASE("quantiles and intervals equal scipy's and numpy's", "[metrics][golden]") {
  const auto golden = attune::testing::metric_goldens("intervals");
  for (const auto& row : golden["t"]) check_number(row.dump(), student_t_quantile(row[0], row[1]), row[2]);
  for (const auto& row : golden["normal"]) check_number(row.dump(), normal_quantile(row[0]), row[1]);
  for (const auto& row : golden["beta"]) check_number(row.dump(), incomplete_beta(row[0], row[1], row[2]), row[3]);
  for (const auto& row : golden["wilson"]) {
    const Interval interval = wilson_interval(row[0], row[1], row[2]);
    check_number(row.dump(), interval.low, row[3]);
    check_number(row.dump(), interval.high, row[4]);
  }
  const auto& folds = golden["folds"];
  const auto scores = folds["scores"].get<std::vector<double>>();
  check_number("mean", mean_and_sd(scores).mean, folds["mean"]);
  check_number("sd", mean_and_sd(scores).sd, folds["sd"]);
  check_number("low", corrected_fold_interval(scores, folds["ratio"]).low, folds["interval"][0]);
  check_number("high", corrected_fold_interval(scores, folds["ratio"]).high, folds["interval"][1]);
  for (const auto& row : golden["quantile"]["rows"]) {
    check_number(row.dump(), quantile(golden["quantile"]["values"], row[0]), row[1]);
  }
}

TEST_CASE("the interval over folds ends where the metric ends, and that of perplexity is made by its logarithm", "[metrics]") {
  const std::vector<double> losses = {0.1, 0.2, 2.9}, perplexities = {1.2, 3.0, 90.0}, shares = {0.7, 1.0, 1.0};
  REQUIRE(corrected_fold_interval(losses, 0.5).low < 0);
  REQUIRE(corrected_fold_interval(perplexities, 0.5).low < 0);
  REQUIRE(corrected_fold_interval(shares, 0.5).high > 1);
  const auto interval_of = [](const std::string& metric, const std::vector<double>& scores) {
    const std::vector<std::string> known = {metric};
    return fold_interval(metric, bounds_of(metric, known), scores, 0.5);
  };
  CHECK(interval_of("loss", losses).low == 0);
  CHECK(interval_of("loss", losses).high == corrected_fold_interval(losses, 0.5).high);
  CHECK(interval_of("accuracy", shares).low == corrected_fold_interval(shares, 0.5).low);
  CHECK(interval_of("accuracy", shares).high == 1);
  CHECK(interval_of("r2", {-3, 0.5, 1}).low == corrected_fold_interval(std::vector<double>{-3, 0.5, 1}, 0.5).low);
  const Interval narrow = interval_of("perplexity", {10, 11, 12});
  const Interval logarithm = corrected_fold_interval(std::vector<double>{std::log(10), std::log(11), std::log(12)}, 0.5);
  CHECK(narrow.low == Approx(std::exp(logarithm.low)));
  CHECK(narrow.high == Approx(std::exp(logarithm.high)));
  CHECK(interval_of("perplexity", perplexities).low == 1);
  CHECK(std::isnan(interval_of("loss", {0.5}).low));
}

TEST_CASE("too few scores give no interval", "[metrics]") {
  CHECK(std::isnan(corrected_fold_interval(std::vector<double>{0.5}, 0.25).low));
  CHECK(std::isnan(mean_and_sd(std::vector<double>{0.5}).sd));
  CHECK(std::isnan(mean_and_sd({}).mean));
  CHECK(std::isnan(wilson_interval(0, 0).high));
}

TEST_CASE("the bootstrap interval of a mean is the normal one on many rows", "[metrics]") {
  const auto data = normal_numbers(2000, 1);
  const Interval interval = bootstrap(data.size(), mean_of(data), {}).at(0).second;
  const auto [mean, sd] = mean_and_sd(data);
  const double reach = 1.96 * sd / std::sqrt(2000.0);
  CHECK(interval.low == Approx(mean - reach).margin(0.15 * reach));
  CHECK(interval.high == Approx(mean + reach).margin(0.15 * reach));
}

TEST_CASE("bootstrap intervals cover the truth about as often as they say", "[metrics]") {
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto data = normal_numbers(60, seed);
    const Interval interval = bootstrap(data.size(), mean_of(data), {.resamples = 300, .level = 0.9}).at(0).second;
    covered += interval.low < 0 && 0 < interval.high;
  }
  CHECK(covered > 255);  // 0.9 of 300 is 270, sd 5.2
  CHECK(covered < 285);
}

TEST_CASE("a share of all rows or none has Wilson's interval, for no resample differs", "[metrics]") {
  const std::vector<double> none(40, 0.0), all(40, 1.0);
  const Interval of_none = bootstrap(40, mean_of(none), {}).at(0).second;
  const Interval of_all = bootstrap(40, mean_of(all), {}).at(0).second;
  REQUIRE(width(of_none) == 0);
  REQUIRE(width(of_all) == 0);
  CHECK(share_interval(of_none, 40).low == 0);
  CHECK(share_interval(of_none, 40).high == Approx(0.08762).margin(1e-5));  // z² / (n + z²)
  CHECK(share_interval(of_none, 40, 1, 0.8).high == Approx(wilson_interval(0, 40, 0.8).high));
  CHECK(share_interval(of_all, 40).low == Approx(0.91238).margin(1e-5));
  CHECK(share_interval(of_all, 40).high == 1);
  CHECK(share_interval({100, 100}, 40, 100).low == Approx(91.238).margin(1e-3));  // in percent
  CHECK(share_interval({1.0 / 3, 1.0 / 3 + 1e-16}, 1).high == Approx(wilson_interval(1.0 / 3, 1).high));
  CHECK(share_interval({0.1, 0.2}, 40).low == 0.1);
  CHECK(share_interval({0.1, 0.2}, 40).high == 0.2);
  CHECK(std::isnan(share_interval({std::nan(""), std::nan("")}, 40).low));
}

TEST_CASE("the same key gives the same interval, another key another one", "[metrics]") {
  const auto data = normal_numbers(50, 3);
  const auto with_seed = [&](std::uint64_t seed) {
    return bootstrap(50, mean_of(data), {.key = attune::RandomKey(seed, "bootstrap")}).at(0).second;
  };
  CHECK(with_seed(1).low == with_seed(1).low);
  CHECK(with_seed(1).low != with_seed(2).low);
}

TEST_CASE("the intervals do not depend on the number of threads", "[metrics]") {
  const auto data = normal_numbers(50, 4);
  const Interval alone = bootstrap(50, mean_of(data), {}).at(0).second;
  for (const int threads : {2, 7, 2000}) {
    const Interval shared = bootstrap(50, mean_of(data), {.threads = threads}).at(0).second;
    CHECK(shared.low == alone.low);
    CHECK(shared.high == alone.high);
  }
  const auto fails = [](std::span<const double>) -> Values { attune::internal_error("no values"); };
  CHECK_THROWS_AS(bootstrap(50, fails, {.threads = 3}), attune::Error);
  CHECK_THROWS_AS(bootstrap(50, mean_of(data), {.threads = 0}), attune::Error);
}

TEST_CASE("groups are drawn whole: equal rows within groups widen the interval", "[metrics]") {
  std::vector<double> data;
  std::vector<std::int64_t> groups;
  const auto levels = normal_numbers(40, 5);
  for (std::size_t row = 0; row < 400; ++row) {
    data.push_back(levels[row / 10]);
    groups.push_back(1000 - static_cast<std::int64_t>(row / 10));
  }
  const Interval rows = bootstrap(400, mean_of(data), {}).at(0).second;
  const Interval clusters = bootstrap(400, mean_of(data), {.groups = groups}).at(0).second;
  CHECK(width(clusters) / width(rows) == Approx(std::sqrt(10.0)).epsilon(0.15));
}

TEST_CASE("row weights enter the resampled values, undefined resamples are left out", "[metrics]") {
  const std::vector<double> data = {0, 1}, weights = {1, 3};
  const Interval interval = bootstrap(2, mean_of(data), {.weights = weights}).at(0).second;
  CHECK(interval.low == 0);
  CHECK(interval.high == 1);
  const auto undefined = [](std::span<const double> w) -> Values { return {{"x", w[0] > 0 ? w[0] : std::nan("")}}; };
  CHECK(bootstrap(2, undefined, {.weights = weights}).at(0).second.low >= 1);
  const auto never = [](std::span<const double>) -> Values { return {{"x", std::nan("")}}; };
  CHECK(to_json(bootstrap(2, never, {}))["x"].is_null());
}
