// What a comparison says of its methods, as JSON and in plain words.
#include "../../src/study/comparison.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "../../src/study/recommendation.h"
#include "catch.h"

using namespace attune;
using namespace attune::study;

namespace {

using files::Json;

data::Example example_of(std::size_t row, const std::string& label) {
  data::Example example;
  example.id = "row-" + std::to_string(row);
  example.target = data::ClassLabel{label};
  return example;
}

/// Rows whose label is the first of two names where the text has an a, else the second.
MethodRows rows_of(const std::string& labels) {
  MethodRows rows;
  rows.labels = {.kind = data::TargetKind::single, .names = {"card", "refund"}};
  for (std::size_t row = 0; row < labels.size(); ++row)
    rows.test.push_back(example_of(row, labels[row] == 'a' ? "card" : "refund"));
  return rows;
}

/// 0, 1, or 2 for no answer.
Answers answers_of(const std::string& predicted) {
  Answers answers;
  for (const char c : predicted) answers.predicted.push_back(c - '0');
  return answers;
}

ComparedMethod method_of(const std::string& name, const std::vector<std::string>& seeds, double cost = 1) {
  ComparedMethod method{.name = name, .kind = "train", .answers = {}, .cost = cost};
  for (const std::string& seed : seeds) method.answers.push_back(answers_of(seed));
  return method;
}

/// A comparison of methods of these accuracies; the pairs are the caller's.
metrics::MethodComparison comparison_with(const std::vector<double>& accuracies) {
  metrics::MethodComparison comparison;
  for (const double accuracy : accuracies) comparison.methods.emplace_back().accuracy.value = accuracy;
  for (std::size_t first = 0; first < accuracies.size(); ++first) {
    for (std::size_t second = first + 1; second < accuracies.size(); ++second) {
      metrics::MethodPair& pair = comparison.pairs.emplace_back();
      pair.first = first;
      pair.second = second;
      pair.accuracy.value = accuracies[second] - accuracies[first];
      pair.disagreement = std::abs(pair.accuracy.value);
    }
  }
  return comparison;
}

/// full (0), words (1), and where there are three majority (2).
std::vector<ComparedMethod> methods_with(const std::vector<double>& costs) {
  const std::vector<std::string> names = {"full", "words", "majority"};
  std::vector<ComparedMethod> methods;
  for (std::size_t i = 0; i < costs.size(); ++i)
    methods.push_back({.name = names[i], .kind = i == 0 ? "train" : names[i], .answers = {}, .cost = costs[i]});
  return methods;
}

std::string reason_of(const Json& recommendation) {
  return recommendation["reason"].get<std::string>();
}

}  // namespace

TEST_CASE("a comparison tells scores, rows and tests by the names of methods", "[study][compare]") {
  // gold:                       a a a a b b b b
  const MethodRows rows = rows_of("aaaabbbb");
  const std::vector<ComparedMethod> methods = {method_of("one", {"00001111"}), method_of("two", {"00111112"}),
                                               method_of("seeds", {"00001110", "00000000", "00001111"})};
  const Json told = comparison_of(rows, methods, {});
  INFO(told.dump(1));
  CHECK(told["methods"][0]["accuracy"]["value"] == 1.0);
  CHECK(told["methods"][1]["accuracy"]["value"].get<double>() == Approx(5.0 / 8));
  CHECK(told["methods"][2]["accuracy"]["value"].get<double>() == Approx((7.0 / 8 + 0.5 + 1) / 3));
  CHECK(told["methods"][2]["seed_accuracies"] == Json{7.0 / 8, 0.5, 1.0});
  CHECK(told["methods"][0]["loss"]["value"].is_null());
  // Under two of three seeds the third method gets the rows 4 to 6 right, and only under one the last.
  CHECK(told["methods"][0]["alone"] == Json{{"rows", 1}, {"ids", {"row-7"}}});
  CHECK(told["methods"][1]["alone"]["rows"] == 0);
  REQUIRE(told["pairs"].size() == 3);
  const Json& pair = told["pairs"][0];
  CHECK(pair["first"] == "one");
  CHECK(pair["second"] == "two");
  CHECK(pair["accuracy"]["difference"].get<double>() == Approx(-3.0 / 8));
  CHECK(pair["accuracy"]["interval"][0].get<double>() < -3.0 / 8);
  CHECK(pair["accuracy"]["interval"][1].get<double>() > -3.0 / 8);
  CHECK(pair["only_first"] == 3);
  CHECK(pair["only_second"] == 0);
  CHECK(pair["test"] == "McNemar, exact");
  CHECK(pair["p"].get<double>() == Approx(0.25));
  CHECK(pair["p_holm"].get<double>() == Approx(0.5));  // the smallest is 0.125, of "one" and "seeds"
  CHECK(told["pairs"][1]["second"] == "seeds");
  CHECK(told["pairs"][1]["test"] == "sign flips of means over seeds");
  CHECK(told["recommendation"]["best"] == "one");
}

TEST_CASE("rows of a group stand together in a comparison", "[study][compare]") {
  MethodRows rows = rows_of("aaaaaaaa");
  const std::vector<ComparedMethod> methods = {method_of("one", {"00000000"}), method_of("two", {"11111111"})};
  CHECK(comparison_of(rows, methods, {})["pairs"][0]["p"].get<double>() == Approx(2.0 / 256));
  for (std::size_t row = 0; row < rows.test.size(); ++row) rows.test[row].group = row < 4 ? "left" : "right";
  const Json grouped = comparison_of(rows, methods, {})["pairs"][0];
  CHECK(grouped["p"].get<double>() == Approx(0.5));
  CHECK(grouped["test"] == "sign flips of means over seeds");
}

TEST_CASE("a clear recommendation names the next method", "[study][compare]") {
  metrics::MethodComparison comparison = comparison_with({0.9, 0.5, 0.625});
  for (metrics::MethodPair& pair : comparison.pairs) pair.p_adjusted = 0.001;
  comparison.pairs[1].p_adjusted = 0.012;
  const Json told = recommendation_of(methods_with({10, 1, 0.1}), comparison, {.predictions = 500});
  CHECK(told["method"] == "full");
  CHECK(told["is_clear"] == true);
  CHECK(told["alike"] == Json{"full"});
  CHECK(told["undecided"].empty());
  CHECK(told["detectable"].is_null());
  CHECK(
      reason_of(told) ==
      "It has the highest accuracy, 0.900, and every other method is significantly worse; the next, majority, by 0.275 "
      "(p = 0.012 after Holm's correction).");
  CHECK_THAT(told["rule"].get<std::string>(), ContainsSubstring("p >= 0.05 after Holm's correction"));
  CHECK_THAT(told["rule"].get<std::string>(), ContainsSubstring("training once and answering 500 rows, in seconds."));
}

TEST_CASE("of methods that the rows do not tell apart a clearly cheaper one is recommended", "[study][compare]") {
  metrics::MethodComparison comparison = comparison_with({0.9, 0.89});
  comparison.pairs[0].p_adjusted = 0.5;
  comparison.pairs[0].detectable = 0.04;
  const Json told = recommendation_of(methods_with({10, 0.25}), comparison, {.cost_unit = "EUR"});
  CHECK(told["method"] == "words");
  CHECK(told["best"] == "full");
  CHECK(told["is_clear"] == false);
  CHECK(told["alike"] == Json{"full", "words"});
  CHECK(told["detectable"] == 0.04);
  CHECK(reason_of(told) ==
        "The data cannot tell it from full, which has the highest accuracy (0.900, 0.010 more; p = 0.5 after Holm's "
        "correction), and it "
        "costs 0.25 EUR instead of 10 EUR. Only a difference of 0.040 or more would have been found with these rows in "
        "80 % of cases.");
  CHECK_THAT(told["rule"].get<std::string>(), ContainsSubstring("in EUR."));

  const Json best = recommendation_of(methods_with({1, 2}), comparison, {});
  CHECK(best["method"] == "full");
  CHECK(reason_of(best) ==
        "It has the highest accuracy, 0.900, and is the cheapest (1 s) of those that the data cannot tell from it: "
        "words. Only a "
        "difference of 0.040 or more would have been found with these rows in 80 % of cases.");
  comparison.pairs[0].detectable = metrics::kNaN;
  CHECK_THAT(
      reason_of(recommendation_of(methods_with({1, 2}), comparison, {})),
      ContainsSubstring("These rows could hardly have shown any difference between methods that agree so often."));
}

TEST_CASE("of methods that are right on the same rows nothing is said to be detectable", "[study][compare]") {
  const std::vector<ComparedMethod> methods = {method_of("one", {"00001110"}), method_of("two", {"00001110"}),
                                               method_of("three", {"00001112"})};  // wrong too, in another way
  const Json told = comparison_of(rows_of("aaaabbbb"), methods, {});
  INFO(told.dump(1));
  for (const Json& pair : told["pairs"]) {
    CHECK(pair["disagreement"] == 0);
    CHECK(pair["detectable"].is_null());
  }
  const Json& recommendation = told["recommendation"];
  CHECK(recommendation["detectable"].is_null());
  CHECK(recommendation["alike"].size() == 3);
  CHECK_THAT(reason_of(recommendation),
             ContainsSubstring(" All are right on the very same rows, which can show no difference between them."));
}

TEST_CASE("some milliseconds do not outweigh an accuracy", "[study][compare]") {
  metrics::MethodComparison comparison = comparison_with({0.8, 0.4});
  comparison.pairs[0].p_adjusted = 0.5;
  comparison.pairs[0].detectable = metrics::kNaN;
  const Json told = recommendation_of(methods_with({0.0267, 0.0112}), comparison, {});
  CHECK(told["method"] == "full");
  CHECK(told["alike"] == Json{"full", "words"});
  CHECK(reason_of(told) ==
        "It has the highest accuracy, 0.800, and of those that the data cannot tell from it none is clearly cheaper: "
        "words. The cheapest, words, costs 0.0112 s instead of 0.0267 s, which is too little to prefer it at an "
        "accuracy lower by 0.400. These rows could hardly have shown any difference between methods that agree so "
        "often.");
  CHECK_THAT(
      told["rule"].get<std::string>(),
      ContainsSubstring("in seconds. Clearly cheaper is a cost below 0.8 of the other and lower by at least 1 s."));
  CHECK(recommendation_of(methods_with({10, 8.5}), comparison, {})["method"] == "full");
  CHECK(recommendation_of(methods_with({10, 7.5}), comparison, {})["method"] == "words");

  const Json money = recommendation_of(methods_with({0.0267, 0.0112}), comparison, {.cost_unit = "EUR"});
  CHECK(money["method"] == "words");
  CHECK_THAT(money["rule"].get<std::string>(),
             ContainsSubstring("in EUR. Clearly cheaper is a cost below 0.8 of the other."));
}

TEST_CASE("among cheap methods the most accurate is recommended", "[study][compare]") {
  metrics::MethodComparison comparison = comparison_with({0.9, 0.88, 0.85});
  for (metrics::MethodPair& pair : comparison.pairs) {
    pair.p_adjusted = 0.5;
    pair.detectable = 0.1;
  }
  const Json told = recommendation_of(methods_with({100, 2.5, 2.25}), comparison, {});
  CHECK(told["method"] == "words");
  CHECK_THAT(reason_of(told), ContainsSubstring("and it costs 2.5 s instead of 100 s. The cheapest, majority, costs "
                                                "2.25 s instead of 2.5 s, which is too little to prefer it at an "
                                                "accuracy lower by 0.030."));
}

TEST_CASE("a method that is likely worse is not taken, and that is said", "[study][compare]") {
  metrics::MethodComparison comparison = comparison_with({0.9, 0.775});
  comparison.pairs[0].p_adjusted = 0.0625;
  comparison.pairs[0].detectable = 0.1;
  const Json told = recommendation_of(methods_with({10, 1}), comparison, {});
  CHECK(told["method"] == "full");
  CHECK(told["is_clear"] == false);
  CHECK(told["undecided"] == Json{"words"});
  CHECK(reason_of(told) ==
        "It has the highest accuracy, 0.900. That words is worse than full, by 0.125, is likely but not established (p "
        "= 0.062): more "
        "test rows would tell.");
}

TEST_CASE("that no method beats the most frequent label is said", "[study][compare]") {
  const std::string nothing = "No method is shown to be better than always giving the most frequent label.";
  metrics::MethodComparison comparison = comparison_with({0.52, 0.4, 0.5});
  comparison.pairs[0].p_adjusted = 0.001;
  comparison.pairs[1].p_adjusted = 0.8;
  comparison.pairs[1].detectable = 0.2;
  const Json told = recommendation_of(methods_with({10, 1, 0.1}), comparison, {});
  CHECK(told["method"] == "majority");
  CHECK_THAT(reason_of(told), ContainsSubstring(nothing));
  comparison.pairs[0].p_adjusted = 0.9;
  comparison.pairs[0].detectable = 0.2;
  comparison.pairs[1].p_adjusted = 0.001;
  CHECK(reason_of(recommendation_of(methods_with({10, 1, 0.1}), comparison, {})).find(nothing) == std::string::npos);
}
