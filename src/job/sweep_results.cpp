// See sweep_results.h.
#include "job/sweep_results.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

using files::Json;

Json cost_of(const Json& point) {
  return point.value("cost", Json::object());
}

double sum_of(const Json& points, const char* key) {
  double sum = 0;
  for (const Json& point : points) sum += cost_of(point).value(key, 0.0);
  return sum;
}

[[noreturn]] void nothing_to_choose(const Json& points, const std::string& metric) {
  const bool all_failed = std::ranges::all_of(points, [](const Json& point) { return point.contains("failed"); });
  throw Error(all_failed ? ErrorKind::diverged : ErrorKind::data,
              {.file = "",
               .what = all_failed ? "every point of the sweep diverged"
                                  : concat("no point of the sweep has a value of ", metric),
               .where = "",
               .hint = all_failed ? "try lower learning rates" : "choose another training.metric_for_best_model"});
}

}  // namespace

Measured measured(const Json& run, const std::string& metric) {
  const auto in = [&](const Json& numbers) { return numbers.contains(metric) ? numbers[metric] : Json(); };
  if (run.contains("cross_validation"))
    return {in(run["cross_validation"]["mean"]), in(run["cross_validation"]["interval"])};
  if (run.contains("statistics")) {
    const Json seeds = in(run["statistics"]["validation"]);
    return {seeds.is_object() ? seeds["mean"] : Json(), nullptr};
  }
  return {in(run["validation"]["metrics"]), in(run["validation"]["intervals"])};
}

Json point_cost(const Json& run) {
  const Json& cost = run["cost"];
  Json found = Json::object();
  for (const char* key : {"flops", "seconds", "joules", "money"}) {
    if (cost["run"].contains(key)) found[key] = cost["run"][key];
  }
  double frozen = 0;
  for (const char* work : {"training", "evaluation"}) {
    if (cost.contains(work)) frozen += cost[work].value("flops_frozen", 0.0);
  }
  if (frozen > 0) found["flops_frozen"] = frozen;
  if (cost.contains("currency")) found["currency"] = cost["currency"];
  return found;
}

Json total_cost(const Json& points) {
  Json total = Json::object();
  std::size_t failed = 0;
  double seconds = 0;
  for (const Json& point : points) {
    seconds += cost_of(point).value("seconds", 0.0);
    failed += point.contains("failed") ? 1 : 0;
    if (cost_of(point).contains("currency")) total["currency"] = cost_of(point)["currency"];
  }
  total["seconds"] = seconds;
  for (const char* key : {"flops", "joules", "money"}) {
    const auto knows = [&](const Json& point) { return point.contains("failed") || cost_of(point).contains(key); };
    if (failed < points.size() && std::ranges::all_of(points, knows)) total[key] = sum_of(points, key);
  }
  if (const double frozen = sum_of(points, "flops_frozen"); frozen > 0) total["flops_frozen"] = frozen;
  if (failed > 0) total["unknown"] = failed;
  return total;
}

const Json& best_point(const Json& points, const std::string& metric, bool greater) {
  const Json* best = nullptr;
  for (const Json& point : points) {
    if (!point.contains("value") || !point["value"].is_number()) continue;
    const double value = point["value"].get<double>();
    if (best == nullptr || (greater ? value > (*best)["value"].get<double>() : value < (*best)["value"].get<double>()))
      best = &point;
  }
  if (best == nullptr) nothing_to_choose(points, metric);
  return *best;
}

Json within_interval(const Json& points, const Json& chosen) {
  Json names = Json::array();
  if (!chosen["interval"].is_array()) return names;
  const double low = chosen["interval"][0].get<double>(), high = chosen["interval"][1].get<double>();
  for (const Json& point : points) {
    if (point["name"] == chosen["name"] || !point.contains("value") || !point["value"].is_number()) continue;
    const double value = point["value"].get<double>();
    if (value >= low && value <= high) names.push_back(point["name"]);
  }
  return names;
}

}  // namespace attune::job
