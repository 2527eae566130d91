// From predictions to metrics: the bridge between tasks and the metrics module. Rows without a label are left out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/metrics/overlap.h"
#include "attune/metrics/values.h"
#include "attune/task/task.h"

namespace attune::task {

/// The scored rows of a split, ready to be scored again under other row weights (bootstrap resamples).
class Scoring {
 public:
  virtual ~Scoring() = default;
  /// Metrics with a weight a scored row; empty = 1 each.
  virtual metrics::Values values(std::span<const double> weights) const = 0;
  /// {"per_class", "confusion_matrix", …}: what belongs into result files but is no single number.
  virtual files::Json detail() const;
  /// On how many rows a share of what is right rests (accuracy, exact_match); 0 of other metrics.
  virtual std::size_t trials(std::string_view metric) const;
  /// Index into the examples, one a scored row.
  const std::vector<std::int64_t>& examples() const { return examples_; }

 protected:
  std::vector<std::int64_t> examples_;
};

std::unique_ptr<Scoring> score_classes(std::span<const Prediction> predictions, const std::vector<std::string>& labels);
std::unique_ptr<Scoring> score_label_sets(std::span<const Prediction> predictions, const std::vector<std::string>& labels);
std::unique_ptr<Scoring> score_values(std::span<const Prediction> predictions);

/// Words' tags of one row, gold and predicted.
struct TaggedRow {
  std::int64_t example;
  std::vector<std::string> gold, predicted;
};
std::unique_ptr<Scoring> score_tags(std::vector<TaggedRow> rows);

/// Answer and gold answers of one question.
struct AnsweredRow {
  std::int64_t example;
  std::string answer;
  std::vector<std::string> gold;
};
std::unique_ptr<Scoring> score_answers(const std::vector<AnsweredRow>& rows);

/// What the scored rows say together: their metrics, intervals and detail.
std::unique_ptr<Scores> scores_of(std::unique_ptr<Scoring> scoring, std::span<const Prediction> predictions,
                                  std::span<const data::Example> examples);

/// The generated texts among predictions against their references: ROUGE, BLEU, chrF, exact match and F1 of words.
class TextScores {
 public:
  explicit TextScores(std::span<const Prediction> predictions);
  /// `weights`: one a prediction, times the row's own; empty = 1 each.
  metrics::Values values(std::span<const double> weights) const;
  std::size_t texts() const { return places_.size(); }
  /// The index of a text's prediction, and what the text alone scores.
  std::size_t place(std::size_t text) const { return places_[text]; }
  metrics::Values values_of(std::size_t text) const { return scorer_->values_of(text); }

 private:
  std::vector<std::size_t> places_;  ///< of the predictions that have a text
  std::vector<double> row_weights_;
  std::optional<metrics::OverlapScorer> scorer_;
};

/// Loss, perplexity, bits per byte and what generated texts score, of a causal language model; one scored row an example.
/// `tokenizer` must outlive it.
std::unique_ptr<Scores> score_language(std::span<const Prediction> predictions, std::span<const data::Example> examples,
                                       const text::Tokenizer& tokenizer);

/// {"loss": Σ w·loss / Σ w, "rows": n}, "windows" where rows were cut into more of them, and, with a scoring, its values.
/// Undefined values are null. Windows of a row stand together.
files::Json summarise(std::span<const Prediction> predictions, const Scoring* scoring);

/// 95 % intervals of the values, of their means where there are several runs, by bootstrap over rows and runs; rows of one group are
/// drawn together. majority_rate has none; shares of right rows that no resample changes have Wilson's.
files::Json bootstrap_intervals(std::span<const Scoring* const> runs, std::span<const data::Example> examples);

}  // namespace attune::task
