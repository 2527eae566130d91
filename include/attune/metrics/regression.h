// Metrics of regression, equal to scikit-learn's and scipy's on the same predictions.
#pragma once

#include <span>

#include "attune/metrics/values.h"

namespace attune::metrics {

/// mse · rmse · mae · r2 · pearson · spearman (tied values get their mean rank) of `predicted` against `gold` [rows].
/// `weights` [rows] or empty for 1 each; whole numbers are the same as repeating rows. NaN: everything without rows; r2
/// and correlations of fewer than two rows; correlations with a constant. r2 of constant gold is 1 when all is right,
/// else 0 (scikit-learn's force_finite).
Values regression_values(std::span<const double> gold, std::span<const double> predicted,
                         std::span<const double> weights = {});

}  // namespace attune::metrics
