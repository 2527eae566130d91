// Bootstrap, fold and proportion intervals.
#include "attune/metrics/intervals.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "attune/base/error.h"
#include "attune/metrics/distributions.h"

namespace attune::metrics {
namespace {


/// The units that are drawn: each row its own, or the rows of each group, numbered by first appearance.
std::vector<std::size_t> unit_of_rows(std::size_t rows, std::span<const std::int64_t> groups) {
  std::vector<std::size_t> units(rows);
  std::iota(units.begin(), units.end(), std::size_t{0});
  if (groups.empty()) return units;
  std::map<std::int64_t, std::size_t> numbers;
  for (std::size_t row = 0; row < rows; ++row)
    units[row] = numbers.try_emplace(groups[row], numbers.size()).first->second;
  return units;
}

/// How often each unit is drawn in `units` draws with replacement.
std::vector<double> draw_counts(std::size_t units, RandomKey key) {
  std::vector<double> counts(units);
  for (std::size_t i = 0; i < units; ++i) {
    const auto drawn = static_cast<std::size_t>(key.uniform(i) * static_cast<double>(units));
    counts[std::min(drawn, units - 1)] += 1;
  }
  return counts;
}

/// Calls `work` with 0 … count-1, shared among `threads` threads (this one among them).
void for_each_index(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  const auto share = [&](std::size_t first) {
    for (std::size_t i = first; i < count; i += threads) work(i);
  };
  std::vector<std::future<void>> others;
  for (std::size_t t = 1; t < std::min(threads, count); ++t) others.push_back(std::async(std::launch::async, share, t));
  share(0);
  for (auto& other : others) other.get();
}

/// The (1 ∓ level)/2 quantiles of each metric.
NamedIntervals percentile_intervals(std::span<const Values> resampled, double level) {
  NamedIntervals intervals;
  if (resampled.empty()) return intervals;
  const double tail = (1 - level) / 2;
  for (std::size_t m = 0; m < resampled.front().size(); ++m) {
    std::vector<double> column;
    for (const Values& values : resampled) column.push_back(values[m].second);
    intervals.push_back({resampled.front()[m].first, {quantile(column, tail), quantile(column, 1 - tail)}});
  }
  return intervals;
}

}  // namespace

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
  if ((!options.groups.empty() && options.groups.size() != rows) ||
      (!options.weights.empty() && options.weights.size() != rows) || options.threads < 1) {
    internal_error("bootstrap: the sizes of groups, weights and rows do not fit, or there is no thread");
  }
  if (rows == 0) return {};
  const std::vector<std::size_t> units = unit_of_rows(rows, options.groups);
  const std::size_t unit_count = *std::max_element(units.begin(), units.end()) + 1;
  std::vector<Values> resampled(static_cast<std::size_t>(options.resamples));
  const auto resample = [&](std::size_t b) {
    std::vector<double> weights(rows);
    const std::vector<double> counts = draw_counts(unit_count, options.key.with(b));
    for (std::size_t row = 0; row < rows; ++row) {
      weights[row] = counts[units[row]] * (options.weights.empty() ? 1.0 : options.weights[row]);
    }
    resampled[b] = values(weights);
  };
  for_each_index(resampled.size(), static_cast<std::size_t>(options.threads), resample);
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

}  // namespace attune::metrics
