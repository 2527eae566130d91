// ROC-AUC and average precision in one pass over the rows by falling score.
#include "attune/metrics/ranking.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace attune::metrics {
namespace {

using Rows = std::span<const std::uint32_t>;

/// Σ of the rows' weights. Four sums, so that the additions need not wait for each other.
double sum_of(Rows rows, std::span<const double> weights) {
  if (weights.empty()) return static_cast<double>(rows.size());
  double sums[4] = {0, 0, 0, 0};
  std::size_t i = 0;
  for (; i + 4 <= rows.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += weights[rows[i + lane]];
  }
  for (; i < rows.size(); ++i) sums[0] += weights[rows[i]];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

Ranking::Ranking(const std::vector<std::uint8_t>& positive, const std::vector<double>& scores) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  const auto size = [](const auto& rows) { return static_cast<std::uint32_t>(rows.size()); };
  for (std::size_t begin = 0; begin < order.size();) {
    Threshold threshold{.negatives_above = size(negatives_), .negatives_tied = 0, .positives = 0};
    const std::size_t before = positives_.size();
    std::size_t end = begin;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      (positive[order[end]] ? positives_ : negatives_).push_back(order[end]);
    }
    begin = end;
    if (positives_.size() == before) continue;
    threshold.negatives_tied = size(negatives_);
    threshold.positives = size(positives_);
    thresholds_.push_back(threshold);
  }
}

RankingScores Ranking::evaluate(std::span<const double> weights) const {
  const Rows negatives = negatives_, positives = positives_;
  double true_positives = 0, false_positives = 0;
  double pairs_won = 0;        // Σ over negatives of the positives ranked above, ties half
  double precision_steps = 0;  // Σ (positives gained) × precision
  std::uint32_t negatives_seen = 0, positives_seen = 0;
  for (const Threshold& at : thresholds_) {
    const double gained = sum_of(positives.subspan(positives_seen, at.positives - positives_seen), weights);
    const double above = sum_of(negatives.subspan(negatives_seen, at.negatives_above - negatives_seen), weights);
    const double tied = sum_of(negatives.subspan(at.negatives_above, at.negatives_tied - at.negatives_above), weights);
    pairs_won += above * true_positives + tied * (true_positives + gained / 2);
    true_positives += gained;
    false_positives += above + tied;
    if (gained > 0) precision_steps += gained * true_positives / (true_positives + false_positives);
    negatives_seen = at.negatives_tied;
    positives_seen = at.positives;
  }
  const double below = sum_of(negatives.subspan(negatives_seen), weights);
  pairs_won += below * true_positives;
  const double all_pairs = true_positives * (false_positives + below);
  return {.roc_auc = all_pairs > 0 ? pairs_won / all_pairs : std::numeric_limits<double>::quiet_NaN(),
          .average_precision = true_positives > 0 ? precision_steps / true_positives : 0.0};
}

}  // namespace attune::metrics
