// Multi-label classification: counts per label and per row.
#include "attune/metrics/multilabel.h"

#include <cmath>
#include <limits>

#include "attune/base/error.h"
#include "f_scores.h"

namespace attune::metrics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct MultilabelCounts {
  std::vector<FCounts> labels;
  double rows = 0;
  double exact = 0;       // rows whose whole set is right
  double wrong = 0;       // Σ weight × wrong cells
  double samples_f1 = 0;  // Σ weight × F1 of the row's set
};

MultilabelCounts count_cells(const MultilabelInput& input, std::size_t rows, std::span<const double> weights) {
  const std::size_t labels = input.labels.size();
  MultilabelCounts counts;
  counts.labels.resize(labels);
  for (std::size_t row = 0; row < rows; ++row) {
    const double weight = weights.empty() ? 1.0 : weights[row];
    FCounts in_row;
    double wrong = 0;
    for (std::size_t label = 0; label < labels; ++label) {
      const double gold = input.gold[row * labels + label], predicted = input.predicted[row * labels + label];
      in_row.gold += gold;
      in_row.predicted += predicted;
      in_row.hit += gold * predicted;
      wrong += gold != predicted;
      counts.labels[label].gold += weight * gold;
      counts.labels[label].predicted += weight * predicted;
      counts.labels[label].hit += weight * gold * predicted;
    }
    counts.rows += weight;
    counts.exact += wrong == 0 ? weight : 0;
    counts.wrong += weight * wrong;
    counts.samples_f1 += weight * in_row.f1();
  }
  return counts;
}

}  // namespace

MultilabelScorer::MultilabelScorer(const MultilabelInput& input)
    : input_(input), labels_(input.labels.size()), rows_(labels_ == 0 ? 0 : input.gold.size() / labels_) {
  if (input.gold.size() != rows_ * labels_ || input.predicted.size() != input.gold.size() ||
      (!input.probabilities.empty() && input.probabilities.size() != input.gold.size()) ||
      (!input.weights.empty() && input.weights.size() != rows_)) {
    internal_error("multi-label metrics: the sizes of gold, predicted, weights and probabilities do not fit");
  }
  for (std::size_t label = 0; label < labels_ && !input.probabilities.empty(); ++label) {
    std::vector<std::uint8_t> positive(rows_);
    std::vector<double> scores(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      positive[row] = input.gold[row * labels_ + label];
      scores[row] = input.probabilities[row * labels_ + label];
    }
    rankings_.emplace_back(std::move(positive), std::move(scores));
  }
}

Values MultilabelScorer::values(std::span<const double> weights) const {
  const MultilabelCounts counts = count_cells(input_, rows_, weights);
  FCounts all;
  for (const auto& label : counts.labels) {
    all.hit += label.hit;
    all.gold += label.gold;
    all.predicted += label.predicted;
  }
  const auto per_row = [&](double sum) { return counts.rows > 0 ? sum / counts.rows : kNaN; };
  const bool none = !(counts.rows > 0);
  const FAverage macro = none ? FAverage{} : macro_average(counts.labels);
  const FAverage weighted = none ? FAverage{} : support_average(counts.labels);
  const double subset_accuracy = per_row(counts.exact);
  Values values = {{"accuracy", subset_accuracy},
                   {"subset_accuracy", subset_accuracy},
                   {"hamming_loss", per_row(counts.wrong / static_cast<double>(labels_))},
                   {"f1", macro.f1},
                   {"f1_macro", macro.f1},
                   {"f1_micro", none ? kNaN : all.f1()},
                   {"f1_weighted", weighted.f1},
                   {"f1_samples", per_row(counts.samples_f1)},
                   {"precision_macro", macro.precision},
                   {"recall_macro", macro.recall},
                   {"precision_micro", none ? kNaN : all.precision()},
                   {"recall_micro", none ? kNaN : all.recall()}};
  if (rankings_.empty()) return values;
  double roc_auc = 0, average_precision = 0;
  for (const auto& ranking : rankings_) {
    const RankingScores scores = ranking.evaluate(weights);
    roc_auc += scores.roc_auc;
    average_precision += scores.average_precision;
  }
  values.emplace_back("roc_auc", roc_auc / static_cast<double>(labels_));
  values.emplace_back("pr_auc", none ? kNaN : average_precision / static_cast<double>(labels_));
  return values;
}

std::vector<ClassScores> MultilabelScorer::per_label() const {
  const MultilabelCounts counts = count_cells(input_, rows_, input_.weights);
  std::vector<ClassScores> result;
  for (std::size_t label = 0; label < labels_; ++label) {
    const FCounts& of = counts.labels[label];
    result.push_back({input_.labels[label], of.precision(), of.recall(), of.f1(), of.gold, of.predicted});
  }
  return result;
}

}  // namespace attune::metrics
