// ROC-AUC and average precision in one pass over the rows by falling score.
#include "attune/metrics/ranking.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace attune::metrics {

Ranking::Ranking(std::vector<std::uint8_t> positive, std::vector<double> scores) : order_(scores.size()) {
  std::iota(order_.begin(), order_.end(), 0u);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  positive_.reserve(order_.size());
  tie_ends_.reserve(order_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) {
    positive_.push_back(positive[order_[i]]);
    tie_ends_.push_back(i + 1 == order_.size() || scores[order_[i]] != scores[order_[i + 1]]);
  }
}

RankingScores Ranking::evaluate(std::span<const double> weights) const {
  double true_positives = 0, false_positives = 0;
  double tie_positives = 0, tie_negatives = 0;
  double pairs_won = 0;        // Σ over negatives of the positives ranked above, ties half
  double precision_steps = 0;  // Σ (positives gained) × precision
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double weight = weights.empty() ? 1.0 : weights[order_[i]];
    (positive_[i] ? tie_positives : tie_negatives) += weight;
    if (!tie_ends_[i]) continue;
    pairs_won += tie_negatives * (true_positives + tie_positives / 2);
    true_positives += tie_positives;
    false_positives += tie_negatives;
    if (tie_positives > 0) precision_steps += tie_positives * true_positives / (true_positives + false_positives);
    tie_positives = tie_negatives = 0;
  }
  const double all_pairs = true_positives * false_positives;
  return {.roc_auc = all_pairs > 0 ? pairs_won / all_pairs : std::numeric_limits<double>::quiet_NaN(),
          .average_precision = true_positives > 0 ? precision_steps / true_positives : 0.0};
}

}  // namespace attune::metrics
