// See paired.h; the bootstrap and the permutation test are in paired_resampling.cpp.
#include "attune/metrics/paired.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "attune/base/error.h"
#include "attune/metrics/distributions.h"

namespace attune::metrics {
namespace {

/// P(X <= k), X ~ Binomial(n, 1/2), 0 <= k < n.
double fair_binomial_cdf(std::int64_t k, std::int64_t n) {
  return incomplete_beta(static_cast<double>(n - k), static_cast<double>(k + 1), 0.5);
}

/// P(X > x), X ~ χ² with one degree of freedom: the square of a standard normal number.
double chi_squared_tail(double x) {
  return std::erfc(std::sqrt(x / 2));
}

/// Places of the defined p-values, by rising value.
std::vector<std::size_t> rising_order(std::span<const double> p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  return order;
}

}  // namespace

std::int64_t PairedRows::rows() const {
  return both_right + both_wrong + static_cast<std::int64_t>(only_first.size() + only_second.size());
}

double PairedRows::discordance() const {
  return static_cast<double>(only_first.size() + only_second.size()) / static_cast<double>(rows());
}

PairedRows compare_rows(std::span<const std::uint8_t> first_right, std::span<const std::uint8_t> second_right) {
  if (first_right.size() != second_right.size()) internal_error("compare_rows: two methods need the same rows");
  PairedRows compared;
  for (std::size_t row = 0; row < first_right.size(); ++row) {
    const bool first = first_right[row] != 0, second = second_right[row] != 0;
    if (first && second) ++compared.both_right;
    if (!first && !second) ++compared.both_wrong;
    if (first && !second) compared.only_first.push_back(row);
    if (!first && second) compared.only_second.push_back(row);
  }
  return compared;
}

TestResult mcnemar_exact(std::int64_t only_first, std::int64_t only_second) {
  const std::int64_t smaller = std::min(only_first, only_second);
  const auto statistic = static_cast<double>(smaller);
  if (only_first == only_second) return {statistic, 1};
  return {statistic, std::min(1.0, 2 * fair_binomial_cdf(smaller, only_first + only_second))};
}

TestResult mcnemar_chi_squared(std::int64_t only_first, std::int64_t only_second, Continuity continuity) {
  if (only_first + only_second == 0) return {0, 1};
  const double gap =
      static_cast<double>(std::abs(only_first - only_second)) - (continuity == Continuity::corrected ? 1 : 0);
  const double statistic = gap * gap / static_cast<double>(only_first + only_second);
  return {statistic, chi_squared_tail(statistic)};
}

std::vector<double> adjusted_p_values(std::span<const double> p_values, Correction correction) {
  const std::vector<std::size_t> order = rising_order(p_values);
  const auto m = static_cast<double>(order.size());
  std::vector<double> adjusted(p_values.size(), kNaN);
  double bound = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double p = p_values[order[rank]], r = static_cast<double>(rank);
    const double raised = correction == Correction::bonferroni ? p * m
                          : correction == Correction::holm     ? p * (m - r)
                                                               : p * m / (r + 1);
    bound = correction == Correction::benjamini_hochberg ? raised : std::max(bound, raised);
    adjusted[order[rank]] = std::min(1.0, bound);
  }
  if (correction != Correction::benjamini_hochberg) return adjusted;
  for (std::size_t rank = order.size(); rank-- > 1;) {  // none above that of a larger p-value
    double& smaller = adjusted[order[rank - 1]];
    smaller = std::min(smaller, adjusted[order[rank]]);
  }
  return adjusted;
}

double smallest_detectable_difference(std::int64_t rows, double discordance, const PowerOptions& options) {
  if (rows < 1 || !(discordance >= 0 && discordance <= 1) || !(options.power >= 0.5)) {
    internal_error("smallest_detectable_difference: rows, a share of them and a power of 0.5 or more are needed");
  }
  if (discordance == 0) return kNaN;
  // (n + β²) δ² - 2 α √(n ψ) δ + (α² - β²) ψ = 0: the larger solution is the one with δ √n >= α √ψ.
  const double a = normal_quantile(1 - options.alpha / 2), b = normal_quantile(options.power),
               n = static_cast<double>(rows);
  const double inside = n - a * a + b * b;
  if (inside < 0) return kNaN;
  const double difference = std::sqrt(discordance) * (a * std::sqrt(n) + b * std::sqrt(inside)) / (n + b * b);
  return difference <= discordance ? difference : kNaN;
}

}  // namespace attune::metrics
