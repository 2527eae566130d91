// ROC-AUC and average precision of one score column against a yes/no truth. The order is found once, so that many
// weightings (bootstrap resamples) cost one pass each: a sum over the rows between each two scores of a positive row.
#pragma once

#include <cstddef>
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
  Ranking(const std::vector<std::uint8_t>& positive, const std::vector<double>& scores);

  /// `weights` [rows], or empty for 1 each. sklearn.metrics.roc_auc_score and average_precision_score.
  RankingScores evaluate(std::span<const double> weights = {}) const;

 private:
  /// A score that some positive row has, and where its rows end in negatives_ and positives_.
  struct Threshold {
    std::uint32_t negatives_above;  ///< behind the negatives with a higher score
    std::uint32_t negatives_tied;   ///< behind those with this score
    std::uint32_t positives;        ///< behind the positives with this score
  };
  std::vector<std::uint32_t> negatives_, positives_;  ///< rows by falling score
  std::vector<Threshold> thresholds_;                 ///< by falling score
};

}  // namespace attune::metrics
