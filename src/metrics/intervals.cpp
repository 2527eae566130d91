// Bootstrap, fold and proportion intervals.
#include "attune/metrics/intervals.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "attune/metrics/distributions.h"
#include "resampling.h"

namespace attune::metrics {

nlohmann::ordered_json to_json(const NamedIntervals& intervals) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, interval] : intervals) {
    if (std::isfinite(interval.low) && std::isfinite(interval.high)) {
      json[name] = {interval.low, interval.high};
    } else {
      json[name] = nullptr;
    }
  }
  return json;
}

NamedIntervals bootstrap(std::size_t rows, const WeightedValues& values, const BootstrapOptions& options) {
  const RowResampling resampling(rows, options);
  if (rows == 0) return {};
  std::vector<Values> resampled(static_cast<std::size_t>(options.resamples));
  for_each_index(resampled.size(), static_cast<std::size_t>(options.threads),
                 [&](std::size_t b) { resampled[b] = values(resampling.weights(b)); });
  return percentile_intervals(resampled, options.level);
}

double quantile(std::vector<double> values, double q) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return kNaN;
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], position - static_cast<double>(below));
}

MeanAndSd mean_and_sd(std::span<const double> scores) {
  const auto n = static_cast<double>(scores.size());
  if (scores.empty()) return {kNaN, kNaN};
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / n;
  double squares = 0;
  for (const double score : scores) squares += (score - mean) * (score - mean);
  return {mean, scores.size() < 2 ? kNaN : std::sqrt(squares / (n - 1))};
}

Interval corrected_fold_interval(std::span<const double> scores, double test_train_ratio, double level) {
  if (scores.size() < 2) return {kNaN, kNaN};
  const auto [mean, sd] = mean_and_sd(scores);
  const auto n = static_cast<double>(scores.size());
  const double reach = student_t_quantile((1 + level) / 2, n - 1) * sd * std::sqrt(1 / n + test_train_ratio);
  return {mean - reach, mean + reach};
}

Interval fold_interval(std::string_view metric, Bounds bounds, std::span<const double> scores, double test_train_ratio,
                       double level) {
  const bool by_logarithm = metric == "perplexity";
  std::vector<double> values(scores.begin(), scores.end());
  if (by_logarithm) std::ranges::transform(values, values.begin(), [](double value) { return std::log(value); });
  Interval interval = corrected_fold_interval(values, test_train_ratio, level);
  if (by_logarithm) interval = {std::exp(interval.low), std::exp(interval.high)};
  if (std::isnan(interval.low)) return interval;
  return {std::clamp(interval.low, bounds.low, bounds.high), std::clamp(interval.high, bounds.low, bounds.high)};
}

Interval wilson_interval(double successes, double trials, double level) {
  if (!(trials > 0)) return {kNaN, kNaN};
  const double z = normal_quantile((1 + level) / 2), p = successes / trials, z2 = z * z / trials;
  const double centre = (p + z2 / 2) / (1 + z2);
  const double reach = z / (1 + z2) * std::sqrt(p * (1 - p) / trials + z2 / (4 * trials));
  return {std::max(0.0, centre - reach), std::min(1.0, centre + reach)};
}

Interval share_interval(Interval resampled, double trials, double whole, double level) {
  constexpr double kRounding = 1e-12;  // of means over seeds
  const bool has_no_width = resampled.high - resampled.low <= kRounding * whole;
  if (!has_no_width) return resampled;
  const double share = std::clamp(resampled.low / whole, 0.0, 1.0);
  const Interval wilson = wilson_interval(share * trials, trials, level);
  return {whole * std::min(wilson.low, share), whole * std::max(wilson.high, share)};
}

}  // namespace attune::metrics
