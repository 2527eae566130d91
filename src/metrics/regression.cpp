// Regression errors and correlations with row weights.
#include "attune/metrics/regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "attune/base/error.h"

namespace attune::metrics {
namespace {

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

std::vector<std::uint32_t> order_of(Numbers values) {
  std::vector<std::uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
  return order;
}

/// Mean rank of each value, up to a constant: the weight below it plus half the weight tied with it.
std::vector<double> ranks(Numbers values, std::span<const std::uint32_t> order, Numbers weights) {
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

RegressionScorer::RegressionScorer(Numbers gold, Numbers predicted)
    : gold_(gold), predicted_(predicted), gold_order_(order_of(gold)), predicted_order_(order_of(predicted)) {
  if (gold.size() != predicted.size()) internal_error("regression metrics: the sizes of gold and predicted do not fit");
}

Values RegressionScorer::values(Numbers weights) const {
  if (!weights.empty() && weights.size() != gold_.size()) {
    internal_error("regression metrics: as many weights as rows are needed");
  }
  double squared = 0, absolute = 0;
  for (std::size_t row = 0; row < gold_.size(); ++row) {
    const double error = predicted_[row] - gold_[row], weight = weight_of(weights, row);
    squared += weight * error * error;
    absolute += weight * std::abs(error);
  }
  const double total = total_weight(weights, gold_.size());
  const double mse = total > 0 ? squared / total : kNaN;
  const std::vector<double> gold_ranks = ranks(gold_, gold_order_, weights);
  const std::vector<double> predicted_ranks = ranks(predicted_, predicted_order_, weights);
  return {{"mse", mse},
          {"rmse", std::sqrt(mse)},
          {"mae", total > 0 ? absolute / total : kNaN},
          {"r2", r_squared(gold_, squared, weights)},
          {"pearson", pearson(gold_, predicted_, weights)},
          {"spearman", pearson(gold_ranks, predicted_ranks, weights)}};
}

}  // namespace attune::metrics
