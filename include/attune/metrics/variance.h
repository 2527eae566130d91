// What a score depends on when a prompt is varied (wording, choice and order of examples, label words, seed): how far
// the scores spread, which factor causes it, and how often single rows change their label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace attune::metrics {

struct ScoreSpread {
  double lowest;
  double highest;
  double range;  ///< highest - lowest
  double mean;
  double sd;  ///< of a sample (n - 1); NaN for fewer than two scores
};

/// All NaN without scores.
ScoreSpread spread_of(std::span<const double> scores);

/// The score of one variant.
struct VariantScore {
  std::vector<std::string> levels;  ///< [factors] what each factor was
  double score;
};

struct FactorShare {
  std::string factor;
  double share;   ///< η²: sum of squares between its levels / that of all scores; NaN where all scores are equal
  double chance;  ///< the share that it has on average where scores are noise: (levels - 1) / (scores - 1)
  std::vector<std::pair<std::string, double>> means;  ///< mean score of each level, in order of appearance
};

struct VarianceShares {
  std::vector<FactorShare> factors;  ///< in the order of their names
  double remainder;                  ///< interactions of factors and, where variants were repeated, noise
};

/// Analysis of variance of a balanced, fully crossed design with fixed factors: main effects; shares and remainder add
/// up to 1  (sums of squares as of statsmodels' anova_lm of a model of the main effects). `factors` [factors] are their
/// names. Error{data} that names a combination unless every combination of the levels that occur was scored equally
/// often: in an unbalanced design the shares would depend on the order of the factors.
VarianceShares variance_shares(std::span<const std::string> factors, std::span<const VariantScore> scores);

/// [rows] How often the label of a row flips: the share of pairs of variants that give the row different labels. 0
/// where all agree, k / (2 (k - 1)) where k variants are of two minds by halves. Pairs, not distance to the majority,
/// since it needs no label to be the right one and is what to expect of two variants picked at random. `predicted`
/// [variants], each [rows] label numbers. NaN for fewer than two variants; Error{internal} for unequal numbers of rows.
std::vector<double> flip_rates(std::span<const std::vector<std::int64_t>> predicted);

}  // namespace attune::metrics
