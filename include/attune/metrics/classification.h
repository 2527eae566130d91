// Metrics of single-label classification, equal to scikit-learn's on the same predictions.
//
// Undefined cases: a precision, recall or F1 without a denominator is 0 (zero_division=0). Macro averages run over the
// classes that occur among gold or predicted labels, as scikit-learn's default does; one-vs-rest ROC-AUC and average
// precision over the classes that occur among the gold labels (where scikit-learn would refuse). ROC-AUC of a single
// gold class is NaN. No rows at all: every value is NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/metrics/ranking.h"
#include "attune/metrics/thresholds.h"
#include "attune/metrics/values.h"

namespace attune::metrics {

/// What was predicted for a split. The spans must outlive whoever reads them.
struct ClassificationInput {
  std::span<const std::int64_t> gold;       ///< [rows], 0 … classes-1
  std::span<const std::int64_t> predicted;  ///< [rows], 0 … classes-1
  std::span<const double> probabilities =
      {};  ///< [rows × classes] row-major; empty: metrics of probabilities are left out
  std::span<const std::string> labels = {};  ///< [classes]
  std::span<const double> weights = {};      ///< [rows] (scikit-learn's sample_weight); empty: 1 each
};

struct ClassScores {
  std::string label;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  double support = 0;    ///< (weighted) rows whose gold label this is
  double predicted = 0;  ///< (weighted) rows that were given this label
};

/// Rows whose top probability lies in (lower, upper].
struct ReliabilityBin {
  double lower = 0;
  double upper = 0;
  double rows = 0;             ///< (weighted) count
  double mean_confidence = 0;  ///< NaN when empty
  double accuracy = 0;         ///< NaN when empty
};

struct ClassificationReport {
  Values values;
  std::vector<ClassScores> per_class;                 ///< one a label, those that do not occur included
  std::vector<std::vector<double>> confusion_matrix;  ///< [gold][predicted]
  std::vector<ReliabilityBin> reliability;            ///< 15 bins; empty without probabilities
  std::vector<ThresholdPoint> thresholds;             ///< of the second of two labels; empty otherwise
};

/// Scores one set of predictions under many weightings (bootstrap resamples). What does not depend on the weights
/// (order of scores, loss of each row) is computed once.
class ClassificationScorer {
 public:
  /// Throws Error{internal} when the sizes do not fit or an id is out of range.
  explicit ClassificationScorer(const ClassificationInput& input);

  /// accuracy · majority_rate (accuracy of always saying the most frequent gold label) · f1 (= f1_macro) · f1_macro ·
  /// f1_micro · f1_weighted · precision_macro · recall_macro · precision_weighted · recall_weighted · mcc; with two
  /// labels precision_positive, recall_positive, f1_positive of the second label; with probabilities:
  ///   roc_auc    binary: of the second label's probability; else one-vs-rest, macro
  ///   pr_auc     average precision, likewise
  ///   brier      binary: mean (p - y)² of the second label; else mean over rows of Σ_c (p_c - y_c)²  (range 0 … 2)
  ///   ece        expected calibration error of the top probability, 15 bins of equal width (lower, upper]  (Guo et al.
  ///   2017) log_loss   natural logarithm, probabilities clipped to [2⁻⁵², 1 - 2⁻⁵²]
  /// `weights` [rows] replace those of the input.
  Values values(std::span<const double> weights) const;
  Values values() const { return values(input_.weights); }

  std::vector<ClassScores> per_class() const;
  std::vector<std::vector<double>> confusion_matrix() const;
  std::vector<ReliabilityBin> reliability(std::span<const double> weights) const;
  std::vector<ThresholdPoint> thresholds() const;

 private:
  struct Counts;
  Counts count(std::span<const double> weights) const;
  void add_probability_values(const Counts& counts, std::span<const double> weights, Values& values) const;

  ClassificationInput input_;
  std::size_t classes_;
  std::vector<Ranking> rankings_;          ///< one a class; binary: only that of the second label
  std::vector<double> confidence_;         ///< [rows] top probability
  std::vector<std::uint8_t> bins_;         ///< [rows] its bin of the reliability diagram
  std::vector<std::uint8_t> top_is_gold_;  ///< [rows]
  std::vector<double> brier_;              ///< [rows]
  std::vector<double> log_loss_;           ///< [rows]
};

/// {label: {precision, recall, f1, support}}.
nlohmann::ordered_json per_class_to_json(std::span<const ClassScores> per_class);

ClassificationReport classification_report(const ClassificationInput& input);

/// {"per_class": {label: {precision, recall, f1, support}}, "confusion_matrix": {labels, counts}, "reliability": […],
/// "thresholds": {positive, points: [{threshold, precision, recall, flagged}, at most 200]}}: the detail for result
/// files and reports; `values` are not repeated.
nlohmann::ordered_json detail_to_json(const ClassificationReport& report);

}  // namespace attune::metrics
