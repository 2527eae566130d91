// How sure a score is: bootstrap over rows, the corrected interval over cross-validation folds, Wilson for a
// proportion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/random.h"
#include "attune/metrics/table.h"
#include "attune/metrics/values.h"

namespace attune::metrics {

struct Interval {
  double low;
  double high;
};
/// What was found, and how sure it is.
struct Estimate {
  double value;
  Interval interval;
};
using NamedIntervals = std::vector<std::pair<std::string, Interval>>;

/// {"accuracy": [low, high], …}; null where undefined.
nlohmann::ordered_json to_json(const NamedIntervals& intervals);

struct BootstrapOptions {
  RandomKey key{42, "bootstrap"};
  std::int64_t resamples = 1000;
  double level = 0.95;
  std::span<const std::int64_t> groups =
      {};                                ///< [rows] any ids: whole groups are drawn (cluster bootstrap); empty: rows
  std::span<const double> weights = {};  ///< [rows] row weights; empty: 1 each
  int threads = 1;                       ///< at least 1; the intervals do not depend on it
};

/// All metrics of a set of predictions under row weights: `[&](auto weights) { return scorer.values(weights); }`. The
/// bootstrap calls it from several threads at once.
using WeightedValues = std::function<Values(std::span<const double> weights)>;

/// Percentile intervals of every metric: `rows` rows (or all groups) are drawn with replacement, a row drawn n times
/// gets n times its weight, and the (1 ∓ level)/2 quantiles of the resampled values are read off (linear, numpy's
/// default). Resamples in which a metric is undefined are left out of its interval; NaN where it always is.
NamedIntervals bootstrap(std::size_t rows, const WeightedValues& values, const BootstrapOptions& options);

struct MeanAndSd {
  double mean;  ///< NaN without scores
  double sd;    ///< of a sample (n - 1); NaN for fewer than two
};
MeanAndSd mean_and_sd(std::span<const double> scores);

/// Interval of the mean of k (× repeats) cross-validation scores, whose training sets overlap:
/// mean ± t(J-1) · sd · sqrt(1/J + test_share / train_share)  (Nadeau & Bengio 2003). For k folds without an inner
/// validation split the ratio is 1 / (k - 1). NaN for fewer than two scores.
Interval corrected_fold_interval(std::span<const double> scores, double test_train_ratio, double level = 0.95);

/// The same for a metric by name, within `bounds`, which are what the metric can be: a t interval knows no bounds, and what lies
/// beyond them is cut off, since no true mean lies there (the coverage stays). That of perplexity is taken of its logarithm,
/// the loss of a token, and carried back.
Interval fold_interval(std::string_view metric, Bounds bounds, std::span<const double> scores, double test_train_ratio,
                       double level = 0.95);

/// Score interval of a proportion (Wilson 1927); NaN without trials.
Interval wilson_interval(double successes, double trials, double level = 0.95);

/// Of the mean of `trials` rows that count `whole` or nothing, by its bootstrap interval. Where none or all of them
/// count, as where there is one row, no resample differs, and an interval without width would say that nothing else is
/// possible: Wilson's takes its place. Rows of one group are one trial.
Interval share_interval(Interval resampled, double trials, double whole = 1, double level = 0.95);

/// Quantile q in [0, 1] of the finite values, interpolated linearly; NaN without any.
double quantile(std::vector<double> values, double q);

}  // namespace attune::metrics
