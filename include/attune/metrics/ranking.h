// ROC-AUC and average precision of one score column against a yes/no truth. The order is found once, so that many
// weightings (bootstrap resamples) cost one pass each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attune::metrics {

struct RankingScores {
  double roc_auc;            ///< NaN when one of the two classes has no weight
  double average_precision;  ///< 0 when no row is positive, as scikit-learn has it
};

class Ranking {
 public:
  /// `positive` [rows] 0/1 and `scores` [rows], higher = more positive. Tied scores count as one threshold.
  Ranking(std::vector<std::uint8_t> positive, std::vector<double> scores);

  /// `weights` [rows], or empty for 1 each. sklearn.metrics.roc_auc_score and average_precision_score.
  RankingScores evaluate(std::span<const double> weights = {}) const;

 private:
  std::vector<std::uint32_t> order_;    ///< rows by falling score
  std::vector<std::uint8_t> positive_;  ///< in that order
  std::vector<std::uint8_t> tie_ends_;  ///< 1 at the last row of each run of equal scores
};

}  // namespace attune::metrics
