// Metrics of multi-label classification (any number of labels a row), equal to scikit-learn's on the same predictions.
//
// Undefined cases as scikit-learn with zero_division=0: an F1 without gold and predicted labels is 0. Macro averages
// run over all labels. A label that every row has, or none, has ROC-AUC NaN (and so has the macro average); without a
// positive row its average precision is 0. No rows at all: every value is NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/metrics/classification.h"
#include "attune/metrics/ranking.h"
#include "attune/metrics/values.h"

namespace attune::metrics {

/// All matrices are row-major [rows × labels]. The spans must outlive whoever reads them.
struct MultilabelInput {
  std::span<const std::uint8_t> gold;          ///< 0 or 1
  std::span<const std::uint8_t> predicted;     ///< 0 or 1
  std::span<const double> probabilities = {};  ///< empty: metrics of probabilities are left out
  std::span<const std::string> labels = {};    ///< [labels]
  std::span<const double> weights = {};        ///< [rows]; empty: 1 each
};

class MultilabelScorer {
 public:
  /// Throws Error{internal} when the sizes do not fit.
  explicit MultilabelScorer(const MultilabelInput& input);

  /// accuracy (= subset_accuracy: the whole set is right) · subset_accuracy · hamming_loss · f1 (= f1_macro) · f1_macro
  /// · f1_micro · f1_weighted · f1_samples · precision_macro · recall_macro · precision_micro · recall_micro; with
  /// probabilities roc_auc and pr_auc (macro over labels).
  Values values(std::span<const double> weights) const;
  Values values() const { return values(input_.weights); }
  std::vector<ClassScores> per_label() const;

 private:
  struct Counts;
  Counts count(std::span<const double> weights) const;

  /// What a row adds to the counts, its weight aside.
  struct Row {
    double wrong = 0;            ///< cells
    double f1 = 0;               ///< of the row's set
    std::size_t cells_end = 0;   ///< behind its last entry of cells_; the first stands where the row before ended
  };
  /// A label that a row has, was given, or both.
  struct Cell {
    std::uint32_t label;
    bool gold, predicted;
  };

  MultilabelInput input_;
  std::size_t labels_;
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
  std::vector<Ranking> rankings_;  ///< one a label
};

}  // namespace attune::metrics
