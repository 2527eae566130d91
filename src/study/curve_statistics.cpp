// See curve_statistics.h.
#include "curve_statistics.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "attune/base/strings.h"
#include "attune/metrics/intervals.h"
#include "attune/metrics/learning_curve.h"
#include "attune/metrics/table.h"
#include "attune/metrics/values.h"
#include "curve_sentences.h"

namespace attune::study {

namespace {

using files::Json;
using metrics::json_number;

constexpr std::size_t kSizesOfLaw = 3;
constexpr int kPlotted = 32;         ///< places at which curve and band are computed
constexpr double kRounding = 1e-12;  ///< of scores

Json interval_json(const metrics::Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return nullptr;
  return Json::array({interval.low, interval.high});
}

/// Mean and scatter of the numbers under `key` of these points.
Json mean_and_sd_of(const std::vector<const CurvePoint*>& points, const char* key) {
  std::vector<double> values;
  for (const CurvePoint* point : points) {
    if (point->told.contains(key) && point->told[key].is_number()) values.push_back(point->told[key].get<double>());
  }
  metrics::MeanAndSd found = metrics::mean_and_sd(values);
  if (found.sd < kRounding) found.sd = 0;  // (NaN stays)
  return {{"mean", json_number(found.mean)}, {"sd", json_number(found.sd)}};
}

/// One entry a size that has scores.
Json by_size(const MethodCurve& method) {
  std::set<std::int64_t> sizes;
  for (const CurvePoint& point : method.points) sizes.insert(point.size);
  Json list = Json::array();
  for (const std::int64_t size : sizes) {
    std::vector<const CurvePoint*> points;
    for (const CurvePoint& point : method.points) {
      if (point.size == size && point.accuracy) points.push_back(&point);
    }
    Json one = {{"size", method.learns ? Json(size) : Json()}, {"seeds", points.size()}};
    for (const char* key : {"accuracy", "f1", "loss", "seconds"}) one[key] = mean_and_sd_of(points, key);
    list.push_back(std::move(one));
  }
  return list;
}

/// Nothing where there are scores at too few sizes.
std::optional<metrics::LearningCurve> fitted(const MethodCurve& method) {
  const metrics::LearningCurveOptions options{.bounds = metrics::bounds_of("accuracy", {})};
  std::vector<metrics::LearningPoint> points;
  std::vector<double> scores;
  std::set<std::int64_t> sizes;
  for (const CurvePoint& point : method.points) {
    if (!point.accuracy) continue;
    points.push_back({.labels = static_cast<double>(point.size),
                      .score = *point.accuracy,
                      .seed = static_cast<std::int64_t>(point.seed)});
    scores.push_back(*point.accuracy);
    sizes.insert(point.size);
  }
  if (!method.learns)
    return scores.empty() ? std::nullopt : std::optional(metrics::LearningCurve::constant(scores, options));
  if (sizes.size() < kSizesOfLaw) return std::nullopt;
  return metrics::LearningCurve::fitted(points, options);
}

Json estimate_json(const metrics::Estimate& estimate) {
  return {{"value", json_number(estimate.value)}, {"interval", interval_json(estimate.interval)}};
}

/// From the smallest to the largest size, by equal steps of the logarithm.
std::vector<double> plotted_places(const CurveFacts& facts) {
  const auto first = static_cast<double>(facts.sizes.front()), last = static_cast<double>(facts.sizes.back());
  std::vector<double> places;
  for (int i = 0; i < kPlotted; ++i)
    places.push_back(first * std::pow(last / first, static_cast<double>(i) / kPlotted));
  places.push_back(last);
  return places;
}

Json plotted(const metrics::LearningCurve& curve, const CurveFacts& facts) {
  Json list = Json::array();
  for (const double labels : plotted_places(facts)) {
    Json one = {{"labels", labels}};
    one.update(estimate_json(curve.at(labels)));
    list.push_back(std::move(one));
  }
  return list;
}

/// How far the curve is from the mean scores, where it is farthest.
double misfit_of(const Json& sizes, const metrics::LearningCurve& curve) {
  double most = 0;
  for (const Json& size : sizes) {
    const Json& mean = size["accuracy"]["mean"];
    if (mean.is_number())
      most = std::max(most, std::abs(curve.at(size["size"].get<double>()).value - mean.get<double>()));
  }
  return most;
}

Json describe(const MethodCurve& method, const std::optional<metrics::LearningCurve>& curve, const CurveFacts& facts) {
  Json told = {{"name", method.name}, {"kind", method.kind}, {"learns", method.learns}, {"points", Json::array()}};
  for (const CurvePoint& point : method.points) told["points"].push_back(point.told);
  told["by_size"] = by_size(method);
  if (!curve) return told;
  told["curve"] = plotted(*curve, facts);
  if (!method.learns) return told;
  const metrics::PowerLaw& law = curve->law();
  told["law"] = {{"asymptote", law.asymptote},
                 {"gap", law.gap},
                 {"exponent", law.exponent},
                 {"misfit", misfit_of(told["by_size"], *curve)}};
  const auto last = static_cast<double>(facts.sizes.back());
  told["gain"] = {{"from", facts.sizes.back()}, {"more", facts.more}};
  told["gain"].update(estimate_json(curve->gain(last, static_cast<double>(facts.more))));
  return told;
}

/// How far the first is ahead of the second at the smallest number of labels at which they differ; 0: nowhere.
double first_difference(const metrics::LearningCurve& first, const metrics::LearningCurve& second,
                        const std::vector<double>& places) {
  for (const double labels : places) {
    const double difference = first.at(labels).value - second.at(labels).value;
    if (std::abs(difference) >= kRounding) return difference;
  }
  return 0;
}

/// Of every pair of methods that have curves.
Json crossings(const std::vector<MethodCurve>& methods,
               const std::vector<std::optional<metrics::LearningCurve>>& curves, const CurveFacts& facts) {
  const metrics::Interval range{static_cast<double>(facts.sizes.front()), static_cast<double>(facts.sizes.back())};
  const std::vector<double> places = plotted_places(facts);
  Json list = Json::array();
  for (std::size_t i = 0; i < methods.size(); ++i) {
    for (std::size_t j = i + 1; j < methods.size(); ++j) {
      if (!curves[i] || !curves[j]) continue;
      const metrics::Crossing found = metrics::crossing(*curves[i], *curves[j], range);
      const double lead = first_difference(*curves[i], *curves[j], places);
      list.push_back({{"first", methods[i].name},
                      {"second", methods[j].name},
                      {"ahead", lead == 0 ? Json() : Json(methods[lead > 0 ? i : j].name)},
                      {"labels", json_number(found.labels.value)},
                      {"interval", interval_json(found.labels.interval)},
                      {"share", json_number(found.share)}});
    }
  }
  return list;
}

}  // namespace

Json curve_statistics(const std::vector<MethodCurve>& methods, const CurveFacts& facts) {
  std::vector<std::optional<metrics::LearningCurve>> curves;
  Json told = {{"methods", Json::array()}};
  for (const MethodCurve& method : methods) {
    curves.push_back(fitted(method));
    told["methods"].push_back(describe(method, curves.back(), facts));
  }
  told["crossings"] = crossings(methods, curves, facts);
  told["sentences"] = curve_sentences(told, facts);
  return told;
}

}  // namespace attune::study
