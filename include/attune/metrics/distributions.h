// Quantiles of the distributions that intervals need.
#pragma once

namespace attune::metrics {

/// Regularised incomplete beta function I_x(a, b), a, b > 0, x in [0, 1]; scipy.special.betainc.
double incomplete_beta(double a, double b, double x);

/// Quantile of the standard normal distribution, p in (0, 1); scipy.stats.norm.ppf.
double normal_quantile(double p);

/// Quantile of Student's t distribution, p in (0, 1), degrees of freedom > 0; scipy.stats.t.ppf.
double student_t_quantile(double p, double degrees_of_freedom);

}  // namespace attune::metrics
