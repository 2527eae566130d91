// See lbfgs.h.
#include "lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <utility>

#include "attune/base/error.h"

namespace attune::baseline {
namespace {

constexpr std::size_t kPairs = 10;
constexpr int kMostSteps = 10'000, kMostHalvings = 60;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// a += factor · b
void add(std::span<double> a, double factor, std::span<const double> b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

struct Point {
  std::vector<double> x;
  std::vector<double> gradient;
  double value = 0;
};

Point evaluate(const SmoothFunction& function, std::vector<double> x) {
  Point point{std::move(x), {}, 0};
  point.gradient.resize(point.x.size());
  point.value = function(point.x, point.gradient);
  if (!std::isfinite(point.value)) internal_error("a function to be minimised is not finite");
  return point;
}

/// What the last steps tell about the curvature.
class InverseCurvature {
 public:
  /// Changes of place and gradient; on a convex function their product is not negative.
  void add_pair(const Point& from, const Point& to) {
    Pair pair{to.x, to.gradient, 0};
    add(pair.moved, -1, from.x);
    add(pair.turned, -1, from.gradient);
    const double product = dot(pair.moved, pair.turned);
    if (!(product > 0)) return;
    pair.inverse_product = 1 / product;
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > kPairs) pairs_.pop_front();
  }

  /// Minus the approximate inverse of the second derivative, times the gradient (two loops over the pairs).
  std::vector<double> direction(std::span<const double> gradient) const {
    std::vector<double> d(gradient.begin(), gradient.end());
    std::vector<double> factors;
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      factors.push_back(pair->inverse_product * dot(pair->moved, d));
      add(d, -factors.back(), pair->turned);
    }
    const double scale = pairs_.empty() ? 1 / std::sqrt(dot(d, d)) : newest_scale(pairs_.back());
    for (double& value : d) value *= scale;
    for (const Pair& pair : pairs_) {
      add(d, factors.back() - pair.inverse_product * dot(pair.turned, d), pair.moved);
      factors.pop_back();
    }
    for (double& value : d) value = -value;
    return d;
  }

 private:
  struct Pair {
    std::vector<double> moved;
    std::vector<double> turned;
    double inverse_product;  ///< 1 / (moved · turned)
  };
  static double newest_scale(const Pair& pair) { return 1 / (pair.inverse_product * dot(pair.turned, pair.turned)); }
  std::deque<Pair> pairs_;
};

/// Whether a step of `length` along a slope falls enough: by Armijo's rule or, where the fall drowns in the rounding of
/// the value, by what that rule says of slopes (Hager & Zhang 2005).
bool falls_enough(const Point& from, const Point& to, double length, double slope_before, double slope_behind) {
  constexpr double kShare = 1e-4, kRounding = 1e-12;
  if (to.value <= from.value + kShare * length * slope_before) return true;
  return to.value <= from.value + kRounding * std::abs(from.value) && slope_behind <= (2 * kShare - 1) * slope_before;
}

/// The first of the steps 1, ½, ¼ … along `direction` that falls enough; the point itself where none does.
Point step_along(const SmoothFunction& function, const Point& from, std::span<const double> direction) {
  const double slope = dot(from.gradient, direction);
  double length = 1;
  for (int halving = 0; halving < kMostHalvings && slope < 0; ++halving, length /= 2) {
    std::vector<double> x = from.x;
    add(x, length, direction);
    Point to = evaluate(function, std::move(x));
    if (falls_enough(from, to, length, slope, dot(to.gradient, direction))) return to;
  }
  return from;
}

}  // namespace

std::vector<double> minimize(const SmoothFunction& function, std::vector<double> start, double gradient_norm) {
  Point point = evaluate(function, std::move(start));
  InverseCurvature curvature;
  for (int step = 0; std::sqrt(dot(point.gradient, point.gradient)) > gradient_norm; ++step) {
    if (step == kMostSteps) internal_error("L-BFGS did not converge");
    Point next = step_along(function, point, curvature.direction(point.gradient));
    if (next.x == point.x) break;
    curvature.add_pair(point, next);
    point = std::move(next);
  }
  return std::move(point.x);
}

}  // namespace attune::baseline
