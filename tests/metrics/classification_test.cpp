// Classification metrics against scikit-learn's.
#include "attune/metrics/classification.h"

#include <algorithm>
#include <cmath>

#include "attune/base/error.h"
#include "attune/metrics/multilabel.h"
#include "attune/metrics/probabilities.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using attune::testing::check_number;
using attune::testing::check_values;
using attune::testing::metric_goldens;

namespace {

std::vector<std::string> label_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("label " + std::to_string(i));
  return names;
}

}  // namespace

TEST_CASE("classification metrics equal scikit-learn's", "[metrics][golden]") {
  for (const auto& golden : metric_goldens("classification")) {
    INFO(golden["name"].get<std::string>());
    const auto gold = golden["gold"].get<std::vector<std::int64_t>>();
    const auto predicted = golden["predicted"].get<std::vector<std::int64_t>>();
    const auto probabilities = golden["probabilities"].get<std::vector<double>>();
    const auto weights = golden["weights"].get<std::vector<double>>();
    const auto labels = label_names(golden["classes"]);
    const auto report = classification_report({gold, predicted, probabilities, labels, weights});
    check_values(report.values, golden["values"]);
    REQUIRE(report.thresholds.size() == golden["thresholds"].size());
    for (std::size_t i = 0; i < report.thresholds.size(); ++i) {
      check_number("threshold", report.thresholds[i].threshold, golden["thresholds"][i][0]);
      check_number("precision", report.thresholds[i].precision, golden["thresholds"][i][1]);
      check_number("recall", report.thresholds[i].recall, golden["thresholds"][i][2]);
    }
    for (std::size_t c = 0; c < labels.size(); ++c) {
      INFO(labels[c]);
      CHECK(report.per_class[c].label == labels[c]);
      check_number("precision", report.per_class[c].precision, golden["per_class"]["precision"][c]);
      check_number("recall", report.per_class[c].recall, golden["per_class"]["recall"][c]);
      check_number("f1", report.per_class[c].f1, golden["per_class"]["f1"][c]);
      check_number("support", report.per_class[c].support, golden["per_class"]["support"][c]);
      for (std::size_t d = 0; d < labels.size(); ++d) {
        check_number("confusion", report.confusion_matrix[c][d], golden["confusion_matrix"][c][d]);
      }
    }
  }
}

TEST_CASE("a thinned curve keeps its ends and its best F1", "[metrics]") {
  std::vector<std::uint8_t> positive;
  std::vector<double> scores;
  for (int i = 0; i < 1000; ++i) {
    positive.push_back(i % 7 == 0 || i > 970);
    scores.push_back(i / 1000.0);
  }
  const auto curve = threshold_curve(positive, scores);
  REQUIRE(curve.size() == 1000);
  const auto few = thinned(curve, 20);
  CHECK(few.size() <= 20);
  CHECK(few.front().threshold == curve.front().threshold);
  CHECK(few.back().threshold == curve.back().threshold);
  const auto less = [](const ThresholdPoint& a, const ThresholdPoint& b) { return a.f1() < b.f1(); };
  CHECK(std::max_element(few.begin(), few.end(), less)->f1() ==
        std::max_element(curve.begin(), curve.end(), less)->f1());
  CHECK(std::is_sorted(few.begin(), few.end(), [](const auto& a, const auto& b) { return a.threshold < b.threshold; }));
  CHECK(std::any_of(few.begin(), few.end(), [](const auto& point) { return point.threshold == 0.5; }));
  CHECK(thinned(curve, 2000).size() == curve.size());
}

TEST_CASE("multi-label metrics equal scikit-learn's", "[metrics][golden]") {
  for (const auto& golden : metric_goldens("multilabel")) {
    INFO(golden["name"].get<std::string>());
    const auto gold = golden["gold"].get<std::vector<std::uint8_t>>();
    const auto predicted = golden["predicted"].get<std::vector<std::uint8_t>>();
    const auto probabilities = golden["probabilities"].get<std::vector<double>>();
    const auto weights = golden["weights"].get<std::vector<double>>();
    const auto labels = label_names(golden["labels"]);
    check_values(MultilabelScorer({gold, predicted, probabilities, labels, weights}).values(), golden["values"]);
  }
}

TEST_CASE("a row of weight n counts like n equal rows", "[metrics]") {
  const auto labels = label_names(3);
  const std::vector<std::int64_t> gold = {0, 1, 2, 1}, predicted = {0, 2, 2, 1};
  const std::vector<double> probabilities = {.6, .3, .1, .2, .3, .5, .1, .2, .7, .2, .5, .3}, weights = {2, 3, 1, 0};
  const std::vector<std::int64_t> more_gold = {0, 0, 1, 1, 1, 2}, more_predicted = {0, 0, 2, 2, 2, 2};
  std::vector<double> more;
  for (const std::size_t row : {0, 0, 1, 1, 1, 2}) {
    more.insert(more.end(), probabilities.begin() + row * 3, probabilities.begin() + row * 3 + 3);
  }
  const auto weighted = ClassificationScorer({gold, predicted, probabilities, labels, weights}).values();
  const auto repeated = ClassificationScorer({more_gold, more_predicted, more, labels, {}}).values();
  REQUIRE(weighted.size() == repeated.size());
  for (const auto& [name, value] : repeated) {
    INFO(name);
    CHECK(value_of(weighted, name) == Approx(value).epsilon(1e-12));
  }
}

TEST_CASE("without probabilities their metrics are absent, without rows every metric is undefined", "[metrics]") {
  const auto labels = label_names(2);
  const std::vector<std::int64_t> gold = {0, 1}, predicted = {0, 0};
  const auto report = classification_report({gold, predicted, {}, labels, {}});
  CHECK(value_of(report.values, "accuracy") == 0.5);
  CHECK(std::isnan(value_of(report.values, "roc_auc")));
  CHECK(report.reliability.empty());
  const auto empty = classification_report({{}, {}, {}, labels, {}});
  for (const auto& [name, value] : empty.values) {
    INFO(name);
    CHECK((std::isnan(value) || name.find("positive") == std::string::npos));
    CHECK(std::isnan(value));
  }
  CHECK(to_json(empty.values)["accuracy"].is_null());
}

TEST_CASE("classification metrics refuse sizes and ids that do not fit", "[metrics]") {
  const auto labels = label_names(2);
  const std::vector<std::int64_t> gold = {0, 1}, short_list = {0}, outside = {0, 2}, negative = {0, -1};
  CHECK_THROWS_AS(classification_report({gold, short_list, {}, labels, {}}), attune::Error);
  CHECK_THROWS_AS(classification_report({gold, outside, {}, labels, {}}), attune::Error);
  CHECK_THROWS_AS(classification_report({negative, gold, {}, labels, {}}), attune::Error);
  const std::vector<double> three = {.5, .5, 1};
  CHECK_THROWS_AS(classification_report({gold, gold, three, labels, {}}), attune::Error);
}

TEST_CASE("reliability bins hold every row once and are closed above", "[metrics]") {
  const auto labels = label_names(2);
  const std::vector<std::int64_t> gold = {0, 0, 1}, predicted = {0, 0, 1};
  const std::vector<double> probabilities = {1, 0, .6, .4, .2, .8};  // 0.6 = 9/15 is the upper border of the ninth bin
  const auto bins = classification_report({gold, predicted, probabilities, labels, {}}).reliability;
  REQUIRE(bins.size() == 15);
  CHECK(bins[8].rows == 1);
  CHECK(bins[11].rows == 1);
  CHECK(bins[14].rows == 1);
  CHECK(bins[14].accuracy == 1);
}

TEST_CASE("softmax and sigmoid survive extreme logits", "[metrics]") {
  const std::vector<float> logits = {1000, 0, -1000, -1000};
  CHECK(softmax_rows(logits, 2) == std::vector<double>{1, 0, .5, .5});
  CHECK(sigmoid(std::vector<float>{0, 1000, -1000}) == std::vector<double>{.5, 1, 0});
  CHECK(argmax_rows(std::vector<double>{1, 3, 3, 2, 2, 1}, 3) == std::vector<std::int64_t>{1, 0});
}
