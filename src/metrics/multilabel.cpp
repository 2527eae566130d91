// Multi-label classification: counts per label and per row.
#include "attune/metrics/multilabel.h"

#include <cmath>
#include <limits>

#include "attune/base/error.h"
#include "f_scores.h"

namespace attune::metrics {
namespace {


}  // namespace

struct MultilabelScorer::Counts {
  std::vector<FCounts> labels;
  double rows = 0;
  double exact = 0;       // rows whose whole set is right
  double wrong = 0;       // Σ weight × wrong cells
  double samples_f1 = 0;  // Σ weight × F1 of the row's set
};

MultilabelScorer::MultilabelScorer(const MultilabelInput& input)
    : input_(input), labels_(input.labels.size()), rows_(labels_ == 0 ? 0 : input.gold.size() / labels_) {
  if (input.gold.size() != rows_.size() * labels_ || input.predicted.size() != input.gold.size() ||
      (!input.probabilities.empty() && input.probabilities.size() != input.gold.size()) ||
      (!input.weights.empty() && input.weights.size() != rows_.size())) {
    internal_error("multi-label metrics: the sizes of gold, predicted, weights and probabilities do not fit");
  }
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    FCounts in_row;
    for (std::size_t label = 0; label < labels_; ++label) {
      const bool gold = input.gold[row * labels_ + label] != 0, predicted = input.predicted[row * labels_ + label] != 0;
      if (!gold && !predicted) continue;
      cells_.push_back({static_cast<std::uint32_t>(label), gold, predicted});
      in_row.gold += gold;
      in_row.predicted += predicted;
      in_row.hit += gold && predicted;
    }
    const double wrong = in_row.gold + in_row.predicted - 2 * in_row.hit;
    rows_[row] = {.wrong = wrong, .f1 = in_row.f1(), .cells_end = cells_.size()};
  }
  for (std::size_t label = 0; label < labels_ && !input.probabilities.empty(); ++label) {
    std::vector<std::uint8_t> positive(rows_.size());
    std::vector<double> scores(rows_.size());
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      positive[row] = input.gold[row * labels_ + label];
      scores[row] = input.probabilities[row * labels_ + label];
    }
    rankings_.emplace_back(positive, scores);
  }
}

MultilabelScorer::Counts MultilabelScorer::count(std::span<const double> weights) const {
  Counts counts;
  counts.labels.resize(labels_);
  std::size_t cell = 0;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const double weight = weights.empty() ? 1.0 : weights[row];
    for (; cell < rows_[row].cells_end; ++cell) {
      FCounts& label = counts.labels[cells_[cell].label];
      if (cells_[cell].gold) label.gold += weight;
      if (cells_[cell].predicted) label.predicted += weight;
      if (cells_[cell].gold && cells_[cell].predicted) label.hit += weight;
    }
    counts.rows += weight;
    counts.exact += rows_[row].wrong == 0 ? weight : 0;
    counts.wrong += weight * rows_[row].wrong;
    counts.samples_f1 += weight * rows_[row].f1;
  }
  return counts;
}

Values MultilabelScorer::values(std::span<const double> weights) const {
  const Counts counts = count(weights);
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
  const Counts counts = count(input_.weights);
  std::vector<ClassScores> result;
  for (std::size_t label = 0; label < labels_; ++label) {
    const FCounts& of = counts.labels[label];
    result.push_back({input_.labels[label], of.precision(), of.recall(), of.f1(), of.gold, of.predicted});
  }
  return result;
}

}  // namespace attune::metrics
