// What the resampling statistics of this module share: units that are drawn, the row weights of a resample, intervals
// of what the resamples give.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "attune/base/random.h"
#include "attune/metrics/intervals.h"

namespace attune::metrics {

/// [rows] The units that are drawn: each row its own, or the rows of each group, numbered by first appearance.
std::vector<std::size_t> unit_of_rows(std::size_t rows, std::span<const std::int64_t> groups);

/// 1 + the largest of the units; 0 without rows.
std::size_t count_units(std::span<const std::size_t> unit_of_row);

/// [units] How often each unit is drawn in `units` draws with replacement.
std::vector<double> draw_counts(std::size_t units, RandomKey key);

/// The row weights of bootstrap resamples.
class RowResampling {
 public:
  /// Throws Error{internal} when the sizes do not fit. `options` must outlive this.
  RowResampling(std::size_t rows, const BootstrapOptions& options);
  /// [rows] of one resample: as often as the row's unit was drawn, times the weight of the row.
  std::vector<double> weights(std::size_t resample) const;
  /// [rows] of what was observed.
  std::vector<double> observed_weights() const;

 private:
  const BootstrapOptions& options_;
  std::vector<std::size_t> unit_of_row_;
  std::size_t units_;
};

/// Calls `work` with 0 … count-1, shared among `threads` threads (this one among them).
void for_each_index(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

/// The (1 ∓ level)/2 quantiles of `values`.
Interval percentile_interval(std::vector<double> values, double level);
/// The same for each metric.
NamedIntervals percentile_intervals(std::span<const Values> resampled, double level);

}  // namespace attune::metrics
