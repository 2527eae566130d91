// See resampling.h.
#include "resampling.h"

#include <algorithm>
#include <future>
#include <map>
#include <numeric>

#include "attune/base/error.h"

namespace attune::metrics {

std::vector<std::size_t> unit_of_rows(std::size_t rows, std::span<const std::int64_t> groups) {
  std::vector<std::size_t> units(rows);
  std::iota(units.begin(), units.end(), std::size_t{0});
  if (groups.empty()) return units;
  std::map<std::int64_t, std::size_t> numbers;
  for (std::size_t row = 0; row < rows; ++row)
    units[row] = numbers.try_emplace(groups[row], numbers.size()).first->second;
  return units;
}

std::size_t count_units(std::span<const std::size_t> unit_of_row) {
  return unit_of_row.empty() ? 0 : std::ranges::max(unit_of_row) + 1;
}

std::vector<double> draw_counts(std::size_t units, RandomKey key) {
  std::vector<double> counts(units);
  for (std::size_t i = 0; i < units; ++i) {
    const auto drawn = static_cast<std::size_t>(key.uniform(i) * static_cast<double>(units));
    counts[std::min(drawn, units - 1)] += 1;
  }
  return counts;
}

RowResampling::RowResampling(std::size_t rows, const BootstrapOptions& options) : options_(options) {
  if ((!options.groups.empty() && options.groups.size() != rows) ||
      (!options.weights.empty() && options.weights.size() != rows) || options.threads < 1) {
    internal_error("bootstrap: the sizes of groups, weights and rows do not fit, or there is no thread");
  }
  unit_of_row_ = unit_of_rows(rows, options.groups);
  units_ = count_units(unit_of_row_);
}

std::vector<double> RowResampling::weights(std::size_t resample) const {
  std::vector<double> weights = observed_weights();
  const std::vector<double> counts = draw_counts(units_, options_.key.with(resample));
  for (std::size_t row = 0; row < weights.size(); ++row) weights[row] *= counts[unit_of_row_[row]];
  return weights;
}

std::vector<double> RowResampling::observed_weights() const {
  if (options_.weights.empty()) return std::vector<double>(unit_of_row_.size(), 1.0);
  return {options_.weights.begin(), options_.weights.end()};
}

void for_each_index(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  const auto share = [&](std::size_t first) {
    for (std::size_t i = first; i < count; i += threads) work(i);
  };
  std::vector<std::future<void>> others;
  for (std::size_t t = 1; t < std::min(threads, count); ++t) others.push_back(std::async(std::launch::async, share, t));
  share(0);
  for (auto& other : others) other.get();
}

Interval percentile_interval(std::vector<double> values, double level) {
  const double tail = (1 - level) / 2;
  return {quantile(values, tail), quantile(std::move(values), 1 - tail)};
}

NamedIntervals percentile_intervals(std::span<const Values> resampled, double level) {
  NamedIntervals intervals;
  if (resampled.empty()) return intervals;
  for (std::size_t m = 0; m < resampled.front().size(); ++m) {
    std::vector<double> column;
    for (const Values& values : resampled) column.push_back(values[m].second);
    intervals.push_back({resampled.front()[m].first, percentile_interval(std::move(column), level)});
  }
  return intervals;
}

}  // namespace attune::metrics
