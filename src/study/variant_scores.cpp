// See variant_scores.h.
#include "variant_scores.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/metrics/values.h"
#include "attune/metrics/variance.h"
#include "attune/prompt/writer.h"
#include "gate.h"

namespace attune::study {

using files::Json;
using metrics::json_number;

namespace {

constexpr std::size_t kFragileRows = 20;

Json spread_json(const std::vector<double>& scores) {
  const metrics::ScoreSpread found = metrics::spread_of(scores);
  return {{"lowest", found.lowest},
          {"highest", found.highest},
          {"range", found.range},
          {"mean", found.mean},
          {"sd", json_number(found.sd)}};
}

Json shares_json(std::span<const DesignPoint> points, const std::vector<double>& scores) {
  std::vector<std::string> factors;
  for (const auto& [factor, level] : points.front().levels) factors.push_back(factor);
  std::vector<metrics::VariantScore> variants;
  for (std::size_t i = 0; i < points.size(); ++i) {
    metrics::VariantScore variant{.levels = {}, .score = scores[i]};
    for (const auto& [factor, level] : points[i].levels) variant.levels.push_back(level);
    variants.push_back(std::move(variant));
  }
  const metrics::VarianceShares found = metrics::variance_shares(factors, variants);
  Json shares = Json::object();
  for (const metrics::FactorShare& factor : found.factors) {
    Json means = Json::object();
    for (const auto& [level, mean] : factor.means) means[level] = mean;
    shares[factor.factor] = {
        {"share", json_number(factor.share)}, {"chance", json_number(factor.chance)}, {"means", std::move(means)}};
  }
  shares["remainder"] = json_number(found.remainder);
  return shares;
}

}  // namespace

std::vector<double> main_scores(const PromptJob& job, std::span<const Json> answers) {
  std::vector<double> scores;
  for (const Json& one : answers) scores.push_back(one.at("metrics").at(job.metric).get<double>());
  return scores;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? metrics::kNaN : sum / static_cast<double>(values.size());
}

Json compared_variants(std::span<const DesignPoint> points, std::span<const Json> answers,
                       const std::vector<double>& scores) {
  Json variants = Json::array();
  for (std::size_t i = 0; i < points.size(); ++i) {
    variants.push_back({{"name", points[i].name}, {"levels", points[i].levels}, {"metrics", answers[i]["metrics"]}});
  }
  return {{"variants", std::move(variants)}, {"spread", spread_json(scores)}, {"shares", shares_json(points, scores)}};
}

Json described_wording(const PromptJob& job, const prompt::Wording& wording, const std::vector<double>& scores,
                       const std::vector<std::size_t>& own) {
  std::vector<double> of_wording;
  for (const std::size_t point : own) of_wording.push_back(scores[point]);
  const auto [lowest, highest] = std::ranges::minmax(of_wording);
  return {{"name", wording.name},
          {"header", prompt::header_of(job.set, wording)},
          {job.metric, mean_of(of_wording)},
          {"lowest", lowest},
          {"highest", highest}};
}

std::vector<std::size_t> points_of(const prompt::Wording& wording, std::span<const DesignPoint> points) {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].variant.wording.name == wording.name) own.push_back(i);
  }
  return own;
}

std::string extreme_wording(const Json& wordings, const std::string& number, bool greatest) {
  const Json* found = &wordings.front();
  for (const Json& one : wordings) {
    const double value = one[number].get<double>(), best = (*found)[number].get<double>();
    if (greatest ? value > best : value < best) found = &one;
  }
  return (*found)["name"].get<std::string>();
}

Json flip_gate(double flip_rate, const std::optional<double>& most, const std::string& what) {
  std::string failure;
  if (most && flip_rate > *most) {
    failure = concat("the flip rate is ", print_number("%.4f", flip_rate), ", at most ", print_number("%.4f", *most),
                     " was allowed: so often two variants give a row different ", what, "s");
  }
  return gate_result("prompting.stability.max_flip_rate", most, failure);
}

std::vector<std::size_t> most_fragile(const std::vector<double>& by_row) {
  std::vector<std::size_t> order(by_row.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t row) { return by_row[row]; });
  order.resize(std::min(order.size(), kFragileRows));
  std::erase_if(order, [&](std::size_t row) { return by_row[row] == 0; });
  return order;
}

}  // namespace attune::study
