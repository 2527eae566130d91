// Regression errors and correlations with row weights.
#include "attune/metrics/regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "attune/base/error.h"

namespace attune::metrics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::span<const double>;

double weight_of(Numbers weights, std::size_t row) {
  return weights.empty() ? 1.0 : weights[row];
}

double total_weight(Numbers weights, std::size_t rows) {
  return weights.empty() ? static_cast<double>(rows) : std::accumulate(weights.begin(), weights.end(), 0.0);
}

double mean(Numbers values, Numbers weights) {
  double sum = 0;
  for (std::size_t row = 0; row < values.size(); ++row) sum += weight_of(weights, row) * values[row];
  return sum / total_weight(weights, values.size());
}

/// Whether the rows that count all have one value; an exact test, since a rounded mean would hide it.
bool constant(Numbers values, Numbers weights) {
  const double* first = nullptr;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (weight_of(weights, row) == 0) continue;
    if (first != nullptr && *first != values[row]) return false;
    first = &values[row];
  }
  return true;
}

double pearson(Numbers x, Numbers y, Numbers weights) {
  if (constant(x, weights) || constant(y, weights)) return kNaN;
  const double mean_x = mean(x, weights), mean_y = mean(y, weights);
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t row = 0; row < x.size(); ++row) {
    const double weight = weight_of(weights, row), dx = x[row] - mean_x, dy = y[row] - mean_y;
    xx += weight * dx * dx;
    xy += weight * dx * dy;
    yy += weight * dy * dy;
  }
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

/// Mean rank of each value, up to a constant: the weight below it plus half the weight tied with it.
std::vector<double> ranks(Numbers values, Numbers weights) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  double below = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double tied = 0;
    for (; end < order.size() && values[order[end]] == values[order[begin]]; ++end)
      tied += weight_of(weights, order[end]);
    for (; begin < end; ++begin) result[order[begin]] = below + tied / 2;
    below += tied;
  }
  return result;
}

double r_squared(Numbers gold, double squared_errors, Numbers weights) {
  if (gold.size() < 2) return kNaN;
  const double gold_mean = mean(gold, weights);
  double spread = 0;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    spread += weight_of(weights, row) * (gold[row] - gold_mean) * (gold[row] - gold_mean);
  }
  if (constant(gold, weights) || spread == 0) return squared_errors == 0 ? 1.0 : 0.0;
  return 1 - squared_errors / spread;
}

}  // namespace

Values regression_values(Numbers gold, Numbers predicted, Numbers weights) {
  if (gold.size() != predicted.size() || (!weights.empty() && weights.size() != gold.size())) {
    internal_error("regression metrics: the sizes of gold, predicted and weights do not fit");
  }
  double squared = 0, absolute = 0;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const double error = predicted[row] - gold[row], weight = weight_of(weights, row);
    squared += weight * error * error;
    absolute += weight * std::abs(error);
  }
  const double total = total_weight(weights, gold.size());
  const double mse = total > 0 ? squared / total : kNaN;
  return {{"mse", mse},
          {"rmse", std::sqrt(mse)},
          {"mae", total > 0 ? absolute / total : kNaN},
          {"r2", r_squared(gold, squared, weights)},
          {"pearson", pearson(gold, predicted, weights)},
          {"spearman", pearson(ranks(gold, weights), ranks(predicted, weights), weights)}};
}

}  // namespace attune::metrics
