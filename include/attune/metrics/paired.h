// Whether one of two methods that predicted the same rows is better: McNemar's test, a bootstrap of the difference over
// rows and seeds, a permutation test, corrections for many comparisons, and what difference the rows could have shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/base/random.h"
#include "attune/metrics/intervals.h"

namespace attune::metrics {

/// On which rows two methods are right.
struct PairedRows {
  std::int64_t both_right = 0;
  std::int64_t both_wrong = 0;
  std::vector<std::size_t> only_first;   ///< rows that the first method alone gets right, rising
  std::vector<std::size_t> only_second;  ///< rows that the second method alone gets right, rising

  std::int64_t rows() const;
  /// Share of the rows that one method alone gets right; NaN without rows.
  double discordance() const;
};

/// `first_right`, `second_right` [rows]: not 0 where the method is right. Throws Error{internal} for unequal sizes.
PairedRows compare_rows(std::span<const std::uint8_t> first_right, std::span<const std::uint8_t> second_right);

struct TestResult {
  double statistic;
  double p_value;  ///< two-sided
};

/// McNemar's test (1947) by the binomial distribution, of the numbers of rows that each method alone gets right:
/// statistic min(a, b), p = 2 · P(X <= min(a, b)), at most 1, X ~ Binomial(a + b, 1/2)  (statsmodels'
/// mcnemar(exact=True)).
TestResult mcnemar_exact(std::int64_t only_first, std::int64_t only_second);

enum class Continuity { corrected, uncorrected };

/// The same by the χ² distribution with one degree of freedom: statistic (|a - b| - 1)² / (a + b), without the 1 when
/// uncorrected  (statsmodels' mcnemar(exact=False, correction=…)). Statistic 0 and p = 1 where no row differs, for
/// which statsmodels has NaN or infinity.
TestResult mcnemar_chi_squared(std::int64_t only_first, std::int64_t only_second, Continuity continuity);

/// How p-values of many comparisons are adjusted.
enum class Correction {
  bonferroni,         ///< m · p: against any false finding, dependent or not
  holm,               ///< the same promise, never larger (Holm 1979)
  benjamini_hochberg  ///< against the expected share of false findings (Benjamini & Hochberg 1995)
};

/// Adjusted p-values, at most 1, in the order of `p_values` (pvals_corrected of statsmodels' multipletests). NaN stay
/// NaN and do not count as comparisons.
std::vector<double> adjusted_p_values(std::span<const double> p_values, Correction correction);

/// One metric of two methods and their difference.
struct PairedEstimate {
  std::string metric;
  Estimate first;
  Estimate second;
  Estimate difference;  ///< second - first
};

/// Percentile intervals of every metric of two methods on the same `rows`, and of the difference. `first` and `second`
/// hold one set of predictions a seed (one for a method without chance); a method's value is the mean over its seeds.
/// In each resample rows (or all groups) are drawn once, for both methods, and of each method with several seeds as
/// many seeds as it has, with replacement, independently of the rows (Owen 2007, "The pigeonhole bootstrap") and of the
/// other method. The variance that k seeds contribute so comes out (k - 1) / k of what it is: two or three seeds say
/// little about others. The row draws are those of bootstrap() under the same key; nothing depends on the number of
/// threads. Resamples in which a metric is undefined are left out of its intervals. Throws Error{internal} when a
/// method has no predictions, or their metrics differ; nothing without rows.
std::vector<PairedEstimate> paired_bootstrap(std::size_t rows, std::span<const WeightedValues> first,
                                             std::span<const WeightedValues> second, const BootstrapOptions& options);

/// Percentile intervals of every metric of one method that ran under several seeds, of its mean over them: those that
/// paired_bootstrap() gives for its first method. With one run they are bootstrap()'s. Throws Error{internal} without a
/// run, or when their metrics differ; nothing without rows.
NamedIntervals bootstrap_over_seeds(std::size_t rows, std::span<const WeightedValues> runs,
                                    const BootstrapOptions& options);

struct SignFlipOptions {
  RandomKey key{42, "sign flips"};
  std::int64_t resamples = 9999;  ///< sign patterns that are drawn where not all are tried
  std::span<const std::int64_t> groups =
      {};  ///< [rows] any ids: the differences of a group change sign together; empty: each its own
};

/// Permutation test of a mean of paired differences [rows] (second - first, of anything that rows have: right or wrong,
/// F1, the mean over seeds of either): if the methods were alike each difference could as well have the other sign.
/// Statistic: the mean; p: the share of sign patterns whose mean is as far from 0 or farther. All patterns are tried
/// where at most 20 rows (or groups) differ, as scipy.stats.permutation_test(permutation_type="samples") has it; else
/// p = (b + 1) / (resamples + 1) with b such patterns among those drawn (Phipson & Smyth 2010). NaN without rows or
/// with an undefined difference.
TestResult sign_flip_test(std::span<const double> differences, const SignFlipOptions& options = {});

struct PowerOptions {
  double alpha = 0.05;  ///< of a two-sided test
  double power = 0.8;   ///< at least 0.5
};

/// The smallest difference of two shares of right rows that McNemar's test on `rows` rows would have found with the
/// given power, when the methods disagree on a share `discordance` of the rows: the sample size of Connor (1987,
/// Biometrics 43),
///   n = (z(1 - alpha/2) · √ψ + z(power) · √(ψ - δ²))² / δ²,  ψ the discordance,
/// solved for δ. It rests on the normal approximation without continuity correction; the exact test needs a little
/// more. NaN where no difference would do: two methods differ by no more than they disagree, so that δ cannot exceed ψ,
/// and those that never disagree do not differ.
double smallest_detectable_difference(std::int64_t rows, double discordance, const PowerOptions& options = {});

}  // namespace attune::metrics
