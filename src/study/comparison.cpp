// See comparison.h.
#include "comparison.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "answer_files.h"
#include "attune/job/environment.h"
#include "attune/metrics/method_comparison.h"
#include "attune/metrics/values.h"
#include "recommendation.h"

namespace attune::study {

namespace {

using files::Json;
using metrics::json_number;

/// Empty where no row belongs to a group.
std::vector<std::int64_t> groups_of(const std::vector<data::Example>& rows) {
  std::vector<std::int64_t> groups;
  if (std::ranges::all_of(rows, [](const data::Example& row) { return row.group.empty(); })) return groups;
  std::map<std::string, std::int64_t> numbers;
  for (const data::Example& row : rows) {
    groups.push_back(numbers.emplace(*row.group, static_cast<std::int64_t>(numbers.size())).first->second);
  }
  return groups;
}

metrics::MethodPredictions predictions_of(const ComparedMethod& method, const std::vector<std::int64_t>& gold,
                                          std::size_t labels) {
  metrics::MethodPredictions predictions;
  for (const Answers& answers : method.answers) {
    predictions.predicted.push_back(answers.predicted);
    std::vector<double> losses = losses_of(answers, gold, labels);
    if (!losses.empty()) predictions.losses.push_back(std::move(losses));
  }
  return predictions;
}

Json with_interval(const char* name, const metrics::Estimate& estimate) {
  return {{name, json_number(estimate.value)},
          {"interval", {json_number(estimate.interval.low), json_number(estimate.interval.high)}}};
}

Json score_json(const metrics::MethodScore& score, const std::vector<data::Example>& rows) {
  Json ids = Json::array();
  for (const std::size_t row : score.alone) ids.push_back(rows[row].id);
  return {{"accuracy", with_interval("value", score.accuracy)},
          {"f1_macro", with_interval("value", score.f1_macro)},
          {"loss", with_interval("value", score.loss)},
          {"seed_accuracies", score.seed_accuracies},
          {"alone", {{"rows", ids.size()}, {"ids", std::move(ids)}}}};
}

Json pair_json(const metrics::MethodPair& pair, const std::vector<ComparedMethod>& methods) {
  return {{"first", methods[pair.first].name},
          {"second", methods[pair.second].name},
          {"accuracy", with_interval("difference", pair.accuracy)},
          {"f1_macro", with_interval("difference", pair.f1_macro)},
          {"loss", with_interval("difference", pair.loss)},
          {"only_first", pair.only_first},
          {"only_second", pair.only_second},
          {"test", pair.by_sign_flips ? "sign flips of means over seeds" : "McNemar, exact"},
          {"statistic", json_number(pair.test.statistic)},
          {"p", json_number(pair.test.p_value)},
          {"p_holm", json_number(pair.p_adjusted)},
          {"disagreement", json_number(pair.disagreement)},
          {"detectable", json_number(pair.detectable)}};
}

}  // namespace

Json comparison_of(const MethodRows& rows, const std::vector<ComparedMethod>& methods,
                   const ComparisonOptions& options) {
  const std::vector<std::int64_t> gold = gold_of(rows.labels, rows.test), groups = groups_of(rows.test);
  const std::size_t labels = rows.labels.names.size();
  std::vector<metrics::MethodPredictions> predictions;
  for (const ComparedMethod& method : methods) predictions.push_back(predictions_of(method, gold, labels));
  metrics::MethodComparisonInput input{.gold = gold, .classes = labels + 1, .groups = groups, .methods = predictions};
  input.bootstrap.threads = job::run_threads();
  const metrics::MethodComparison found = metrics::compare_methods(input);
  Json result = {{"methods", Json::array()}, {"pairs", Json::array()}};
  for (const metrics::MethodScore& score : found.methods) result["methods"].push_back(score_json(score, rows.test));
  for (const metrics::MethodPair& pair : found.pairs) result["pairs"].push_back(pair_json(pair, methods));
  result["recommendation"] = recommendation_of(methods, found, options);
  return result;
}

}  // namespace attune::study
