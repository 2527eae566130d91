// How a score grows with the number of labels: an inverse power law fitted to scores at several sizes, its band over
// seeds, where two methods cross, and what more labels would bring.
//
// The band is what other seeds (other subsets, other starts) would give at the same sizes. It knows nothing of the
// sampling of the test rows, nor of whether the law holds beyond the largest size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "attune/base/random.h"
#include "attune/metrics/intervals.h"
#include "attune/metrics/table.h"
#include "attune/metrics/values.h"

namespace attune::metrics {

/// One training on some of the labels.
struct LearningPoint {
  double labels;  ///< at least 1
  double score;
  std::int64_t seed = 0;  ///< points of one seed share their rows (nested subsets) and are drawn together
  double weight = 1;      ///< in the squared error
};

/// score(n) = asymptote - gap · n^-exponent, with a positive gap rising to the asymptote, with a negative one (losses)
/// falling to it.
struct PowerLaw {
  double asymptote = kNaN;
  double gap = kNaN;
  double exponent = kNaN;
  double at(double labels) const;
};

/// Least weighted squares over asymptotes within `bounds`, any gap, and exponents from 0.01 to 3: for each exponent the
/// other two follow from linear equations; the exponent is sought on a grid and then by golden section, so there is no
/// start to choose and the result is the best of the range. Error{usage} for fewer than three sizes; Error{internal}
/// for points without labels or with negative weights.
PowerLaw fit_power_law(std::span<const LearningPoint> points, Bounds bounds = {});

struct LearningCurveOptions {
  Bounds bounds = {};  ///< of the metric (metrics/table.h): asymptotes and values lie within
  RandomKey key{42, "learning curve"};
  std::int64_t resamples = 1000;  ///< of the seeds, with replacement
  double level = 0.95;
};

struct Crossing;

/// A method's score by the number of labels. Intervals are percentiles over resampled seeds, NaN with fewer than two
/// seeds.
class LearningCurve {
 public:
  /// Errors as fit_power_law().
  static LearningCurve fitted(std::span<const LearningPoint> points, const LearningCurveOptions& options = {});
  /// The same score whatever the labels, as that of a prompt without examples: the mean of one score a seed.
  /// Error{internal} without scores.
  static LearningCurve constant(std::span<const double> scores, const LearningCurveOptions& options = {});

  const PowerLaw& law() const { return law_; }
  Estimate at(double labels) const;
  /// at(labels + more) - at(labels).
  Estimate gain(double labels, double more = 100) const;

 private:
  friend Crossing crossing(const LearningCurve& first, const LearningCurve& second, Interval range);

  explicit LearningCurve(const LearningCurveOptions& options) : bounds_(options.bounds), level_(options.level) {}
  double value(const PowerLaw& law, double labels) const;
  const PowerLaw& law_of(std::size_t resample) const;
  template <class Of>
  Estimate estimate(Of value_of_law) const;

  Bounds bounds_;
  double level_;
  PowerLaw law_;
  std::vector<PowerLaw> resampled_;  ///< empty with fewer than two seeds
};

/// Where the better of two methods changes.
struct Crossing {
  Estimate labels;  ///< NaN where they do not cross; the interval is over those resamples in which they do
  double share;     ///< of the resamples in which they do; NaN where neither curve has several seeds
};

/// The smallest number of labels in `range` (1 or more) at which the sign of the difference of the curves changes;
/// nothing beyond the range is believed. Seeds are resampled together: curves with the same key draw the same numbers,
/// and equal seeds then go together. Error{internal} for curves with several seeds and unequal numbers of resamples.
Crossing crossing(const LearningCurve& first, const LearningCurve& second, Interval range);

}  // namespace attune::metrics
