// See logistic.h.
#include "attune/baseline/logistic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "attune/base/error.h"
#include "class_weights.h"
#include "lbfgs.h"

namespace attune::baseline {
namespace {

constexpr double kGradientNorm = 1e-6;

/// Numbers that a row has before softmax (a class each) or sigmoid (one).
std::size_t outputs_of(std::size_t present_classes) {
  return present_classes > 2 ? present_classes : present_classes - 1;
}

/// z = parameters · (row, 1), `z` [outputs].
void add_up(const SparseRows& rows, std::size_t row, std::span<const double> parameters, std::span<double> z) {
  const auto of_column = [&](std::size_t column) { return parameters.subspan(column * z.size(), z.size()); };
  std::ranges::copy(of_column(rows.columns), z.begin());
  for (std::size_t entry = rows.begins[row]; entry < rows.begins[row + 1]; ++entry) {
    const auto weights = of_column(rows.column[entry]);
    for (std::size_t k = 0; k < z.size(); ++k) z[k] += rows.value[entry] * weights[k];
  }
}

/// `z` becomes probabilities; gives log Σ exp z.
double softmax_in_place(std::span<double> z) {
  const double largest = std::ranges::max(z);
  double sum = 0;
  for (double& value : z) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (double& value : z) value /= sum;
  return largest + std::log(sum);
}

double sigmoid_of(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

/// log(1 + exp z)
double softplus(double z) {
  return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
}

/// What is minimised.
class PenalisedLoss {
 public:
  /// `targets` [rows] are numbers among the present classes.
  PenalisedLoss(const SparseRows& rows, std::vector<std::size_t> targets, std::size_t outputs,
                const LogisticOptions& options)
      : rows_(rows), targets_(std::move(targets)), outputs_(outputs), options_(options) {}

  double operator()(std::span<const double> parameters, std::span<double> gradient) const {
    const std::size_t penalised = rows_.columns * outputs_;
    double loss = 0;
    std::ranges::fill(gradient, 0.0);
    for (std::size_t i = 0; i < penalised; ++i) {
      loss += parameters[i] * parameters[i] / 2;
      gradient[i] = parameters[i];
    }
    std::vector<double> z(outputs_);
    for (std::size_t row = 0; row < rows_.rows(); ++row) {
      const double weight = options_.c * (options_.weights.empty() ? 1.0 : options_.weights[row]);
      if (weight == 0) continue;
      add_up(rows_, row, parameters, z);
      loss += weight * loss_and_slope(z, targets_[row]);
      for (double& slope : z) slope *= weight;
      add_gradient(row, z, gradient);
    }
    return loss;
  }

 private:
  /// The loss of one row; its derivatives replace `z`.
  double loss_and_slope(std::span<double> z, std::size_t target) const {
    if (outputs_ == 1) {
      const double loss = softplus(z[0]) - static_cast<double>(target) * z[0];
      z[0] = sigmoid_of(z[0]) - static_cast<double>(target);
      return loss;
    }
    const double of_target = z[target], loss = softmax_in_place(z) - of_target;
    z[target] -= 1;
    return loss;
  }

  void add_gradient(std::size_t row, std::span<const double> slopes, std::span<double> gradient) const {
    const auto add = [&](std::size_t column, double value) {
      const auto sums = gradient.subspan(column * outputs_, outputs_);
      for (std::size_t k = 0; k < outputs_; ++k) sums[k] += value * slopes[k];
    };
    for (std::size_t entry = rows_.begins[row]; entry < rows_.begins[row + 1]; ++entry) {
      add(rows_.column[entry], rows_.value[entry]);
    }
    add(rows_.columns, 1);
  }

  const SparseRows& rows_;
  std::vector<std::size_t> targets_;
  std::size_t outputs_;
  const LogisticOptions& options_;
};

}  // namespace

LogisticRegression::LogisticRegression(const SparseRows& rows, std::span<const std::int64_t> labels,
                                       std::size_t classes, const LogisticOptions& options)
    : classes_(classes), columns_(rows.columns) {
  if (rows.rows() != labels.size() || !(options.c > 0)) {
    internal_error("logistic regression needs a label for each row, and c > 0");
  }
  const std::vector<double> weights = class_weights(labels, classes, options.weights);
  std::vector<std::size_t> place(classes);
  for (std::size_t label = 0; label < classes; ++label) {
    place[label] = present_.size();
    if (weights[label] > 0) present_.push_back(label);
  }
  if (present_.empty()) internal_error("logistic regression needs a row with weight");
  std::vector<std::size_t> targets;
  for (const std::int64_t label : labels) targets.push_back(place[static_cast<std::size_t>(label)]);
  const std::size_t outputs = outputs_of(present_.size());
  if (outputs == 0) return;
  const PenalisedLoss loss(rows, std::move(targets), outputs, options);
  parameters_ = minimize(std::cref(loss), std::vector<double>((rows.columns + 1) * outputs), kGradientNorm);
}

std::vector<double> LogisticRegression::probabilities(const SparseRows& rows) const {
  if ((rows.columns + 1) * outputs_of(present_.size()) != parameters_.size()) {
    internal_error("logistic regression: the rows have other columns than those of the training");
  }
  std::vector<double> probabilities(rows.rows() * classes_), z(outputs_of(present_.size()));
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto of_row = std::span(probabilities).subspan(row * classes_, classes_);
    if (present_.size() == 1) {
      of_row[present_.front()] = 1;
      continue;
    }
    add_up(rows, row, parameters_, z);
    if (present_.size() == 2) {
      of_row[present_[1]] = sigmoid_of(z[0]);
      of_row[present_[0]] = sigmoid_of(-z[0]);
      continue;
    }
    softmax_in_place(z);
    for (std::size_t k = 0; k < z.size(); ++k) of_row[present_[k]] = z[k];
  }
  return probabilities;
}

LinearLayer LogisticRegression::layer() const {
  LinearLayer layer{.columns = columns_,
                    .weights = std::vector<double>(classes_ * columns_),
                    .biases = std::vector<double>(classes_, kAbsentBias)};
  const std::size_t outputs = outputs_of(present_.size());
  for (const std::size_t label : present_) layer.biases[label] = 0;
  for (std::size_t output = 0; output < outputs; ++output) {
    const std::size_t label = present_[outputs == 1 ? 1 : output];  // of two classes the second has the numbers
    for (std::size_t i = 0; i < columns_; ++i) layer.weights[label * columns_ + i] = parameters_[i * outputs + output];
    layer.biases[label] = parameters_[columns_ * outputs + output];
  }
  return layer;
}

}  // namespace attune::baseline
