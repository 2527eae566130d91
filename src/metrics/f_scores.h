// Precision, recall and F1 from counts, and their averages; 0 where a denominator is 0. Shared by the metric families.
#pragma once

#include <limits>
#include <span>

namespace attune::metrics {

inline double ratio_or_zero(double part, double whole) {
  return whole > 0 ? part / whole : 0.0;
}

struct FCounts {
  double hit = 0;        ///< gold and predicted
  double gold = 0;       ///< all gold
  double predicted = 0;  ///< all predicted

  double precision() const { return ratio_or_zero(hit, predicted); }
  double recall() const { return ratio_or_zero(hit, gold); }
  double f1() const { return ratio_or_zero(2 * hit, gold + predicted); }
};

/// NaN for an average over nothing.
struct FAverage {
  double precision = std::numeric_limits<double>::quiet_NaN();
  double recall = std::numeric_limits<double>::quiet_NaN();
  double f1 = std::numeric_limits<double>::quiet_NaN();
};

/// The mean of precision, recall and F1 over `items`, each counted `weight_of(item)` times.
template <typename WeightOf>
FAverage average(std::span<const FCounts> items, WeightOf weight_of) {
  if (items.empty()) return {};
  FAverage sum{0, 0, 0};
  double total = 0;
  for (const auto& item : items) {
    const double weight = weight_of(item);
    sum.precision += weight * item.precision();
    sum.recall += weight * item.recall();
    sum.f1 += weight * item.f1();
    total += weight;
  }
  return {ratio_or_zero(sum.precision, total), ratio_or_zero(sum.recall, total), ratio_or_zero(sum.f1, total)};
}

inline FAverage macro_average(std::span<const FCounts> items) {
  return average(items, [](const FCounts&) { return 1.0; });
}

/// Each item counts by its gold rows.
inline FAverage support_average(std::span<const FCounts> items) {
  return average(items, [](const FCounts& item) { return item.gold; });
}

}  // namespace attune::metrics
