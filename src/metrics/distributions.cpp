// The incomplete beta function by its continued fraction, and quantiles by bisection of the distribution's tail.
#include "attune/metrics/distributions.h"

#include <cmath>
#include <limits>

#include "attune/base/error.h"

namespace attune::metrics {
namespace {

/// Continued fraction of I_x(a, b) by the modified Lentz method (DLMF 8.17.22; Thompson & Barnett 1986).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = std::numeric_limits<double>::min() * 1e10;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), result = d;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      change = c * d;
      result *= change;
    }
    if (std::abs(change - 1) < 1e-16) break;
  }
  return result;
}

/// The t > 0 with `tail(t)` = p, tail falling from 1/2 to 0: bracket by doubling, then halve until the doubles run out.
template <typename Tail>
double invert_upper_tail(Tail tail, double p) {
  double low = 0, high = 1;
  while (tail(high) > p && high < 1e300) high *= 2;
  for (int i = 0; i < 2000; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (tail(middle) > p ? low : high) = middle;
  }
  return high;
}

template <typename Tail>
double symmetric_quantile(Tail tail, double p) {
  if (!(p > 0 && p < 1)) internal_error("a quantile needs a probability between 0 and 1");
  if (p == 0.5) return 0;
  return p < 0.5 ? -invert_upper_tail(tail, p) : invert_upper_tail(tail, 1 - p);
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double log_front = std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  // The fraction converges fast below the mean of the distribution; above it the mirrored one does.
  if (x < (a + 1) / (a + b + 2)) return std::exp(log_front) * beta_fraction(a, b, x) / a;
  return 1 - std::exp(log_front) * beta_fraction(b, a, 1 - x) / b;
}

double normal_quantile(double p) {
  return symmetric_quantile([](double z) { return std::erfc(z / std::sqrt(2.0)) / 2; }, p);
}

double student_t_quantile(double p, double degrees_of_freedom) {
  const double n = degrees_of_freedom;
  if (!(n > 0)) internal_error("Student's t needs degrees of freedom above 0");
  return symmetric_quantile([n](double t) { return incomplete_beta(n / 2, 0.5, n / (n + t * t)) / 2; }, p);
}

}  // namespace attune::metrics
