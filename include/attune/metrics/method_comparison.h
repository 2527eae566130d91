// Many methods that answered the same rows: how good each is, which pairs differ, which rows one alone gets right, and
// which method is worth its cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/metrics/intervals.h"
#include "attune/metrics/paired.h"

namespace attune::metrics {

/// What one method said, under each of its seeds (one for a method without chance).
struct MethodPredictions {
  std::vector<std::vector<std::int64_t>> predicted;  ///< [seeds][rows] label ids
  std::vector<std::vector<double>>
      losses;  ///< [seeds][rows] -log p of the right label; empty: it gives no probabilities
};

struct MethodComparisonInput {
  std::span<const std::int64_t> gold;         ///< [rows] label ids
  std::size_t classes = 0;                    ///< ids are below it, that of "no answer" included
  std::span<const std::int64_t> groups = {};  ///< [rows] rows that belong together; empty: each its own
  std::span<const MethodPredictions> methods;
  BootstrapOptions bootstrap = {};  ///< its groups and weights are not looked at
  PowerOptions power = {};
};

struct MethodScore {
  std::vector<double> seed_accuracies;  ///< [seeds]
  Estimate accuracy, f1_macro, loss;    ///< means over seeds; intervals over rows × seeds (paired_bootstrap), of an
                                        ///< accuracy that no resample changes share_interval
  std::vector<std::size_t> alone;  ///< rows that it gets right (under more than half of its seeds) and no other method
};

/// Differences are second - first.
struct MethodPair {
  std::size_t first = 0, second = 0;  ///< indices of the methods
  Estimate accuracy, f1_macro, loss;
  std::int64_t only_first = 0, only_second = 0;  ///< rows that the one gets right (as above) and the other does not
  bool by_sign_flips =
      false;  ///< one of both has several seeds, or rows come in groups: sign flips; else McNemar, exact
  TestResult test{};
  double p_adjusted = 1;  ///< by Holm, over all pairs
  double disagreement =
      0;  ///< mean squared difference of being right; of single seeds the share of rows that one alone gets right
  double detectable = 0;  ///< smallest_detectable_difference of accuracy, at alpha / pairs; NaN where there is none
};

struct MethodComparison {
  std::vector<MethodScore> methods;
  std::vector<MethodPair> pairs;  ///< all, in order of first and second
  double alpha = 0.05;
};

/// A row's being right is that of a method with several seeds in the mean over them: with d the differences of two
/// methods by row, the test asks whether their mean is 0 (sign_flip_test), and Connor's discordance is the mean of d²,
/// which for d in {-1, 0, 1} it is. Error{internal} without methods and for sizes that do not fit.
MethodComparison compare_methods(const MethodComparisonInput& input);

/// When one cost counts as lower than another: below `share` of it, and by `least` or more. What is measured varies by
/// more than the last digit, and what costs next to nothing need not cost less.
struct CostMargin {
  double share = 0.8;
  double least = 0;  ///< in the unit of the costs

  bool is_clearly_lower(double cost, double other) const { return cost < share * other && other - cost >= least; }
};

/// Which method to take.
struct MethodChoice {
  std::size_t best = 0;      ///< of the highest accuracy; of equals the cheapest
  std::size_t cheapest = 0;  ///< of `alike`; of equals the most accurate
  std::size_t chosen = 0;    ///< the most accurate of `alike` than which none of them is clearly cheaper; of equals the
                             ///< cheapest
  std::vector<std::size_t> alike;  ///< the best, and those that the rows do not tell from it
  std::vector<std::size_t>
      undecided;  ///< not significantly worse than the best, though by a difference that the rows could have shown
  double detectable = 0;  ///< the largest smallest_detectable_difference between the best and the others of `alike`;
                          ///< NaN where it has none
};

/// Among the best by mean accuracy and those that are neither significantly worse (p_adjusted >= alpha) nor worse by
/// `detectable` or more: the most accurate than which none is clearly cheaper. That none is holds where the cheapest is
/// not: whatever is clearly higher than some cost is clearly higher than all below it. `costs` [methods]: any unit.
MethodChoice choose_method(const MethodComparison& comparison, std::span<const double> costs, CostMargin margin = {});

/// The pair of two methods, in either order.
const MethodPair& pair_of(const MethodComparison& comparison, std::size_t a, std::size_t b);

}  // namespace attune::metrics
