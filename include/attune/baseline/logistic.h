// Logistic regression with a squared penalty, at the same optimum as scikit-learn's LogisticRegression with its
// defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "attune/baseline/linear_layer.h"
#include "attune/baseline/sparse_rows.h"

namespace attune::baseline {

struct LogisticOptions {
  double c = 1;                          ///< inverse strength of the penalty, > 0
  std::span<const double> weights = {};  ///< [rows] row weights (scikit-learn's sample_weight); empty: 1 each
};

/// Minimises  c · Σ_rows w · -log p(label) + ½ Σ W², the biases outside of the penalty. Of three or more classes each
/// has a vector of weights (softmax); of two the second has one (sigmoid), as scikit-learn has it, which is half the
/// penalty that two vectors would have. Classes without a row have probability 0; a single class has probability 1.
///
/// The penalty makes the loss strongly convex: a gradient of norm g is at most g away from the optimal weights, and
/// training goes on until g <= 1e-6 (or no step is left that doubles can tell from none). So the result depends on no
/// start, no seed and no number of threads (there is one).
class LogisticRegression {
 public:
  /// `labels` [rows] in 0 … classes-1. Error{internal} without rows, for labels out of range and sizes that do not fit.
  LogisticRegression(const SparseRows& rows, std::span<const std::int64_t> labels, std::size_t classes,
                     const LogisticOptions& options = {});

  /// [rows × classes], row-major. `rows` have the columns of the training rows.
  std::vector<double> probabilities(const SparseRows& rows) const;

  /// The layer under whose softmax rows have these probabilities.
  LinearLayer layer() const;

 private:
  std::size_t classes_, columns_;
  std::vector<std::size_t> present_;  ///< classes that have rows, rising
  std::vector<double> parameters_;    ///< [columns + 1 × outputs], the biases last
};

}  // namespace attune::baseline
