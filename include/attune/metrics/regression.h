// Metrics of regression, equal to scikit-learn's and scipy's on the same predictions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/metrics/values.h"

namespace attune::metrics {

/// Scores one set of predictions under many weightings (bootstrap resamples). The order of the values, which the rank
/// correlation needs, is found once.
class RegressionScorer {
 public:
  /// `gold` and `predicted` [rows] must outlive the scorer. Throws Error{internal} when the sizes do not fit.
  RegressionScorer(std::span<const double> gold, std::span<const double> predicted);

  /// mse · rmse · mae · r2 · pearson · spearman (tied values get their mean rank). `weights` [rows], empty for 1 each;
  /// whole numbers are the same as repeating rows. NaN: everything without rows; r2 and correlations of fewer than two
  /// rows; correlations with a constant. r2 of constant gold is 1 when all is right, else 0 (scikit-learn's
  /// force_finite).
  Values values(std::span<const double> weights = {}) const;

 private:
  std::span<const double> gold_, predicted_;
  std::vector<std::uint32_t> gold_order_, predicted_order_;  ///< rows by rising value
};

}  // namespace attune::metrics
