// See paired.h: differences under resampled rows and seeds, and under flipped signs.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/base/error.h"
#include "attune/metrics/paired.h"
#include "resampling.h"

namespace attune::metrics {
namespace {

constexpr std::size_t kUnitsForAllSigns = 20;

/// Every metric as the mean over the runs of a method, each counted `counts` times.
Values mean_of_runs(std::span<const WeightedValues> runs, std::span<const double> counts,
                    std::span<const double> weights) {
  Values mean;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (counts[run] == 0) continue;
    const Values values = runs[run](weights);
    if (mean.empty()) {
      for (const auto& [name, value] : values) mean.emplace_back(name, 0);
    }
    if (mean.size() != values.size()) internal_error("paired_bootstrap: the runs have unlike metrics");
    for (std::size_t m = 0; m < values.size(); ++m) {
      mean[m].second += counts[run] / static_cast<double>(runs.size()) * values[m].second;
    }
  }
  return mean;
}

/// second - first, name by name.
Values difference_of(const Values& first, const Values& second) {
  if (first.size() != second.size()) internal_error("paired_bootstrap: the methods have unlike metrics");
  Values difference;
  for (std::size_t m = 0; m < first.size(); ++m) {
    if (first[m].first != second[m].first) internal_error("paired_bootstrap: the methods have unlike metrics");
    difference.emplace_back(first[m].first, second[m].second - first[m].second);
  }
  return difference;
}

/// The method's values in a resample: its rows weighted so, its runs drawn under the key.
Values resampled_mean(std::span<const WeightedValues> runs, std::span<const double> weights, const RandomKey& key) {
  return mean_of_runs(runs, draw_counts(runs.size(), key), weights);
}

/// How many of all ways to add or subtract `values` to `sum` end at least `bound` from 0.
std::int64_t count_far_sums(std::span<const double> values, double sum, double bound) {
  if (values.empty()) return std::abs(sum) >= bound ? 1 : 0;
  const auto others = values.subspan(1);
  return count_far_sums(others, sum + values.front(), bound) + count_far_sums(others, sum - values.front(), bound);
}

/// The sum of `values` with the signs that `key` draws.
double flipped_sum(std::span<const double> values, const RandomKey& key) {
  double sum = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += 64) {
    std::uint64_t signs = key.bits(begin / 64);
    for (std::size_t i = begin; i < std::min(begin + 64, values.size()); ++i, signs >>= 1) {
      sum += (signs & 1) != 0 ? values[i] : -values[i];
    }
  }
  return sum;
}

/// The sums of the differences of each row or group, those that are 0 left out: their sign does not matter.
std::vector<double> unit_sums(std::span<const double> differences, std::span<const std::int64_t> groups) {
  const std::vector<std::size_t> units = unit_of_rows(differences.size(), groups);
  std::vector<double> sums(count_units(units));
  for (std::size_t row = 0; row < units.size(); ++row) sums[units[row]] += differences[row];
  std::erase(sums, 0.0);
  return sums;
}

}  // namespace

std::vector<PairedEstimate> paired_bootstrap(std::size_t rows, std::span<const WeightedValues> first,
                                             std::span<const WeightedValues> second, const BootstrapOptions& options) {
  if (first.empty() || second.empty() || options.resamples < 1) {
    internal_error("paired_bootstrap: each method needs predictions, and a resample is needed");
  }
  const RowResampling resampling(rows, options);
  if (rows == 0) return {};
  const std::vector<double> each_first(first.size(), 1.0), each_second(second.size(), 1.0);
  const std::vector<double> observed = resampling.observed_weights();
  const Values of_first = mean_of_runs(first, each_first, observed),
               of_second = mean_of_runs(second, each_second, observed);
  const Values difference = difference_of(of_first, of_second);

  const auto resamples = static_cast<std::size_t>(options.resamples);
  std::vector<Values> firsts(resamples), seconds(resamples), differences(resamples);
  const auto resample = [&](std::size_t b) {
    const std::vector<double> weights = resampling.weights(b);
    const RandomKey key = options.key.with(b);
    firsts[b] = resampled_mean(first, weights, key.with(1));
    seconds[b] = resampled_mean(second, weights, key.with(2));
    differences[b] = difference_of(firsts[b], seconds[b]);
  };
  for_each_index(resamples, static_cast<std::size_t>(options.threads), resample);

  const NamedIntervals first_intervals = percentile_intervals(firsts, options.level),
                       second_intervals = percentile_intervals(seconds, options.level),
                       difference_intervals = percentile_intervals(differences, options.level);
  std::vector<PairedEstimate> estimates;
  for (std::size_t m = 0; m < difference.size(); ++m) {
    estimates.push_back({difference[m].first,
                         {of_first[m].second, first_intervals[m].second},
                         {of_second[m].second, second_intervals[m].second},
                         {difference[m].second, difference_intervals[m].second}});
  }
  return estimates;
}

NamedIntervals bootstrap_over_seeds(std::size_t rows, std::span<const WeightedValues> runs,
                                    const BootstrapOptions& options) {
  if (runs.empty() || options.resamples < 1) internal_error("bootstrap_over_seeds: a run and a resample are needed");
  const RowResampling resampling(rows, options);
  if (rows == 0) return {};
  std::vector<Values> resampled(static_cast<std::size_t>(options.resamples));
  for_each_index(resampled.size(), static_cast<std::size_t>(options.threads), [&](std::size_t b) {
    resampled[b] = resampled_mean(runs, resampling.weights(b), options.key.with(b).with(1));
  });
  return percentile_intervals(resampled, options.level);
}

TestResult sign_flip_test(std::span<const double> differences, const SignFlipOptions& options) {
  if (!options.groups.empty() && options.groups.size() != differences.size()) {
    internal_error("sign_flip_test: a group for each row is needed");
  }
  const std::vector<double> sums = unit_sums(differences, options.groups);
  const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
  if (differences.empty() || std::isnan(sum)) return {kNaN, kNaN};
  const double mean = sum / static_cast<double>(differences.size());
  // Sums that are equal but for the order of their rounding count as equal.
  const auto add_size = [](double total, double value) { return total + std::abs(value); };
  const double bound = std::abs(sum) - 1e-12 * std::accumulate(sums.begin(), sums.end(), 0.0, add_size);
  if (sums.size() <= kUnitsForAllSigns) {
    const std::int64_t patterns = std::int64_t{1} << sums.size();
    return {mean, static_cast<double>(count_far_sums(sums, 0, bound)) / static_cast<double>(patterns)};
  }
  std::int64_t far = 0;
  for (std::int64_t b = 0; b < options.resamples; ++b) {
    far += std::abs(flipped_sum(sums, options.key.with(static_cast<std::uint64_t>(b)))) >= bound ? 1 : 0;
  }
  return {mean, static_cast<double>(far + 1) / static_cast<double>(options.resamples + 1)};
}

}  // namespace attune::metrics
