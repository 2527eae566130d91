// Comparisons of methods against statsmodels, scipy and scikit-learn, and the choice that follows from them.
#include "attune/metrics/method_comparison.h"

#include <cmath>

#include "attune/base/error.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using attune::testing::check_number;

namespace {

/// Rows that a golden describes.
struct GoldenMethods {
  explicit GoldenMethods(const nlohmann::json& golden) : gold(golden["gold"].get<std::vector<std::int64_t>>()) {
    for (const auto& method : golden["methods"]) {
      methods.push_back({.predicted = method["predicted"].get<std::vector<std::vector<std::int64_t>>>(),
                         .losses = method["losses"].get<std::vector<std::vector<double>>>()});
    }
  }

  std::vector<std::int64_t> gold;
  std::vector<MethodPredictions> methods;
};

void check_near(const std::string& name, Interval interval, const nlohmann::json& golden, double margin) {
  INFO(name << ": [" << interval.low << ", " << interval.high << "], golden " << golden.dump());
  CHECK(interval.low == Approx(golden[0].get<double>()).margin(margin));
  CHECK(interval.high == Approx(golden[1].get<double>()).margin(margin));
}

/// Methods of one seed each on rows of class 0, right where the text has a 1.
MethodComparison compare_patterns(const std::vector<std::string>& patterns) {
  const std::vector<std::int64_t> gold(patterns.front().size(), 0);
  std::vector<MethodPredictions> methods;
  for (const std::string& pattern : patterns) {
    std::vector<std::int64_t>& predicted = methods.emplace_back().predicted.emplace_back();
    for (const char c : pattern) predicted.push_back(c == '1' ? 0 : 1);
  }
  return compare_methods({.gold = gold, .classes = 2, .methods = methods});
}

std::string rights(std::size_t right, std::size_t rows) {
  return std::string(right, '1') + std::string(rows - right, '0');
}

}  // namespace

TEST_CASE("methods on the same rows compare as statsmodels and scipy say", "[metrics][golden]") {
  for (const auto& golden : attune::testing::read_goldens("statistics/methods.json")) {
    const GoldenMethods input(golden);
    const MethodComparison found = compare_methods({.gold = input.gold,
                                                    .classes = golden["classes"].get<std::size_t>(),
                                                    .methods = input.methods,
                                                    .bootstrap = {.resamples = 4000}});
    REQUIRE(found.methods.size() == golden["scores"].size());
    for (std::size_t i = 0; i < found.methods.size(); ++i) {
      const MethodScore& score = found.methods[i];
      const auto& expected = golden["scores"][i];
      check_number("accuracy", score.accuracy.value, expected["accuracy"]);
      check_number("f1_macro", score.f1_macro.value, expected["f1_macro"]);
      check_number("loss", score.loss.value, expected["loss"]);
      CHECK(score.alone == expected["alone"].get<std::vector<std::size_t>>());
      check_near("interval", score.accuracy.interval, expected["interval"], 0.012);
    }
    REQUIRE(found.pairs.size() == golden["pairs"].size());
    for (std::size_t i = 0; i < found.pairs.size(); ++i) {
      const MethodPair& pair = found.pairs[i];
      const auto& expected = golden["pairs"][i];
      INFO(expected["pair"].get<std::string>());
      check_number("difference", pair.accuracy.value, expected["difference"]);
      CHECK(pair.only_first == expected["only_first"].get<std::int64_t>());
      CHECK(pair.only_second == expected["only_second"].get<std::int64_t>());
      CHECK(pair.by_sign_flips == expected["by_sign_flips"].get<bool>());
      check_number("p", pair.test.p_value, expected["p"]);
      check_number("p_holm", pair.p_adjusted, expected["p_holm"]);
      check_number("disagreement", pair.disagreement, expected["disagreement"]);
      check_number("detectable", pair.detectable, expected["detectable"]);
      check_near("interval", pair.accuracy.interval, expected["interval"], 0.012);
      const MethodScore &first = found.methods[pair.first], &second = found.methods[pair.second];
      CHECK(pair.f1_macro.value == Approx(second.f1_macro.value - first.f1_macro.value));
      CHECK(pair.loss.value == Approx(second.loss.value - first.loss.value));
      if (pair.by_sign_flips) CHECK(pair.test.statistic == Approx(pair.accuracy.value));
    }
  }
}

TEST_CASE("rows that belong together are drawn and flipped together", "[metrics]") {
  const std::vector<std::int64_t> gold(40, 0), groups = [] {
    std::vector<std::int64_t> ids;
    for (std::int64_t row = 0; row < 40; ++row) ids.push_back(row / 10);
    return ids;
  }();
  std::vector<MethodPredictions> methods(2);
  methods[0].predicted = {std::vector<std::int64_t>(40, 0)};
  methods[1].predicted = {std::vector<std::int64_t>(40, 1)};
  const MethodComparison found = compare_methods({.gold = gold, .classes = 2, .groups = groups, .methods = methods});
  CHECK(found.pairs[0].by_sign_flips);
  CHECK(found.pairs[0].test.p_value == Approx(2.0 / 16));  // four groups, all signs equal
  CHECK(found.pairs[0].test.statistic == Approx(-1));      // the second is never right
  CHECK(compare_methods({.gold = gold, .classes = 2, .methods = methods}).pairs[0].test.p_value < 1e-9);
}

TEST_CASE("intervals of methods are those of groups, where there are some", "[metrics]") {
  const std::vector<std::int64_t> gold(40, 0);
  std::vector<std::int64_t> groups;
  std::vector<MethodPredictions> methods(2);
  std::vector<std::int64_t>& halves = methods[0].predicted.emplace_back();
  for (std::int64_t row = 0; row < 40; ++row) {
    groups.push_back(row / 10);
    halves.push_back(row < 20 ? 0 : 1);
  }
  methods[1].predicted = {std::vector<std::int64_t>(40, 1)};
  const MethodComparison grouped = compare_methods({.gold = gold, .classes = 2, .groups = groups, .methods = methods});
  const MethodComparison alone = compare_methods({.gold = gold, .classes = 2, .methods = methods});
  // Of four groups, two of them right, the share of right rows is one of five with at most 1/16 at the ends.
  CHECK(grouped.methods[0].accuracy.interval.low == 0);
  CHECK(grouped.methods[0].accuracy.interval.high == 1);
  CHECK(grouped.pairs[0].accuracy.interval.low == -1);
  CHECK(alone.methods[0].accuracy.interval.low == Approx(0.35).margin(0.06));
  CHECK(alone.methods[0].accuracy.interval.high == Approx(0.65).margin(0.06));
  // No resample is right anywhere: Wilson's, of as many trials as there are groups or rows.
  CHECK(grouped.methods[1].accuracy.interval.low == 0);
  CHECK(grouped.methods[1].accuracy.interval.high == Approx(wilson_interval(0, 4).high));
  CHECK(alone.methods[1].accuracy.interval.high == Approx(wilson_interval(0, 40).high));
}

TEST_CASE("methods without probabilities have no loss", "[metrics]") {
  const MethodComparison found = compare_patterns({rights(8, 10), rights(5, 10)});
  CHECK(std::isnan(found.methods[0].loss.value));
  CHECK(std::isnan(found.pairs[0].loss.value));
  CHECK(found.methods[0].accuracy.value == Approx(0.8));
}

TEST_CASE("a clearly cheaper one of those that the rows do not tell from the best is chosen", "[metrics]") {
  // 200 rows: the second is one row worse than the first, the third far worse.
  const MethodComparison found = compare_patterns({rights(180, 200), "0" + rights(178, 199), rights(90, 200)});
  const MethodChoice dear = choose_method(found, std::vector{10.0, 1.0, 0.1});
  CHECK(dear.best == 0);
  CHECK(dear.chosen == 1);
  CHECK(dear.alike == std::vector<std::size_t>{0, 1});
  CHECK(dear.undecided.empty());
  CHECK(choose_method(found, std::vector{1.0, 10.0, 0.1}).chosen == 0);
}

TEST_CASE("of methods than which none is clearly cheaper the most accurate is chosen", "[metrics]") {
  MethodComparison found = compare_patterns({rights(36, 40), rights(35, 40), rights(34, 40), rights(34, 40)});
  for (MethodPair& pair : found.pairs) {
    pair.p_adjusted = 0.9;
    pair.detectable = 0.5;
  }
  const auto choose = [&](const std::vector<double>& costs, CostMargin margin = {}) {
    return choose_method(found, costs, margin);
  };
  CHECK(choose({10, 9, 8, 8.5}).chosen == 0);  // 8 is not below 0.8 of 10
  CHECK(choose({10, 9, 8, 8.5}).cheapest == 2);
  CHECK(choose({10, 9, 7.5, 8.5}).chosen == 1);  // 7.5 is, but not of 9
  CHECK(choose({10, 9.5, 7.5, 9.4}).chosen == 2);
  CHECK(choose({10, 9.5, 7.5, 7}).chosen == 3);  // of equals the cheaper
  CHECK(choose({0.4, 0.3, 0.2, 0.1}).chosen == 3);
  CHECK(choose({0.4, 0.3, 0.2, 0.1}, {.least = 1}).chosen == 0);
  CHECK(choose({5, 4, 3, 2}, {.least = 2}).chosen == 3);
  CHECK(choose({5, 4, 3, 2}, {.least = 2.5}).chosen == 1);
  CHECK(choose({1, 1, 1, 1}).cheapest == 0);
  CHECK(choose({0, 0, 0, 0}).chosen == 0);
}

TEST_CASE("a method that is far ahead is chosen whatever it costs", "[metrics]") {
  const MethodComparison found = compare_patterns({rights(90, 200), rights(180, 200)});
  const MethodChoice choice = choose_method(found, std::vector{0.1, 100.0});
  CHECK(choice.chosen == 1);
  CHECK(choice.alike == std::vector<std::size_t>{1});
  CHECK(choice.undecided.empty());
}

TEST_CASE("a difference that the rows could have shown is not taken for none", "[metrics]") {
  MethodComparison found = compare_patterns({rights(40, 40), rights(35, 40)});
  CHECK(found.pairs[0].p_adjusted == Approx(0.0625));
  CHECK(std::isnan(found.pairs[0].detectable));  // five rows that differ are too few for any
  CHECK(choose_method(found, std::vector{5.0, 1.0}).alike.size() == 2);
  CHECK(choose_method(found, std::vector{5.0, 1.0}).chosen == 1);
  found.pairs[0].detectable = 0.1;
  const MethodChoice choice = choose_method(found, std::vector{5.0, 1.0});
  CHECK(choice.chosen == 0);
  CHECK(choice.undecided == std::vector<std::size_t>{1});
  CHECK(choice.alike == std::vector<std::size_t>{0});
}

TEST_CASE("a difference counts as shown after the correction for all pairs", "[metrics]") {
  MethodComparison found = compare_patterns({rights(36, 40), rights(34, 40), rights(33, 40)});
  for (MethodPair& pair : found.pairs) pair.detectable = 0.5;
  found.pairs[0].test.p_value = 0.02;
  found.pairs[0].p_adjusted = 0.06;
  found.pairs[1].test.p_value = found.pairs[1].p_adjusted = 0.01;
  const MethodChoice choice = choose_method(found, std::vector{3.0, 2.0, 1.0});
  CHECK(choice.alike == std::vector<std::size_t>{0, 1});
  CHECK(choice.chosen == 1);
}

TEST_CASE("of equal methods the cheapest is the best", "[metrics]") {
  const MethodComparison found = compare_patterns({rights(30, 40), rights(30, 40), rights(10, 40)});
  const MethodChoice choice = choose_method(found, std::vector{3.0, 2.0, 1.0});
  CHECK(choice.best == 1);
  CHECK(choice.chosen == 1);
  CHECK(choice.alike.size() == 2);
  CHECK(found.pairs[0].disagreement == 0);
  CHECK(std::isnan(found.pairs[0].detectable));
  CHECK(std::isnan(choice.detectable));
}

TEST_CASE("of several methods that are alike the least certain says what could have been shown", "[metrics]") {
  MethodComparison found = compare_patterns({rights(36, 40), rights(35, 40), rights(34, 40), rights(10, 40)});
  for (MethodPair& pair : found.pairs) pair.p_adjusted = pair.second == 3 ? 0.001 : 0.9;
  found.pairs[0].detectable = 0.2;
  found.pairs[1].detectable = 0.3;
  CHECK(choose_method(found, std::vector{1.0, 2.0, 3.0, 4.0}).detectable == 0.3);
  found.pairs[0].detectable = 0.4;
  CHECK(choose_method(found, std::vector{1.0, 2.0, 3.0, 4.0}).detectable == 0.4);
}

TEST_CASE("under half of the seeds right is not mostly right", "[metrics]") {
  const std::vector<std::int64_t> gold = {0, 0, 0};
  std::vector<MethodPredictions> methods(2);
  methods[0].predicted = {{0, 0, 1}, {0, 1, 1}};
  methods[1].predicted = {{1, 1, 0}};
  const MethodComparison found = compare_methods({.gold = gold, .classes = 2, .methods = methods});
  CHECK(found.methods[0].alone == std::vector<std::size_t>{0});
  CHECK(found.methods[1].alone == std::vector<std::size_t>{2});
  CHECK(found.pairs[0].only_first == 1);
  CHECK(found.pairs[0].only_second == 1);
}

TEST_CASE("sizes that do not fit are a defect", "[metrics]") {
  const std::vector<std::int64_t> gold = {0, 1};
  std::vector<MethodPredictions> methods(1);
  CHECK_THROWS_AS(compare_methods({.gold = gold, .classes = 2, .methods = methods}), attune::Error);
  methods[0].predicted = {{0}};
  CHECK_THROWS_AS(compare_methods({.gold = gold, .classes = 2, .methods = methods}), attune::Error);
  CHECK_THROWS_AS(compare_methods({.gold = gold, .classes = 2, .methods = {}}), attune::Error);
}
