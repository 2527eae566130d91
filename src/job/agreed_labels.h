// The labels that wordings agree on, asked of a model: of unlabelled rows to train on, of validation rows to see how
// far they can be trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/fit.h"
#include "attune/metrics/agreement.h"

namespace attune::job {

/// Unlabelled rows with the labels that they got.
struct AgreedLabels {
  std::vector<std::size_t> rows;  ///< numbers among the unlabelled ones
  std::vector<metrics::Agreement> agreements;

  /// [[row, label, share, probability]].
  files::Json to_json() const;
  /// Json::exception for what to_json does not write.
  static AgreedLabels from_json(const files::Json& list);
};

metrics::AgreementRule rule_of(const adapt::SelfTrainingOptions& options);

/// What the training wordings answer to rows that lie as prompts (Prepared::unlabelled); nothing after a stop signal.
std::optional<std::vector<metrics::Agreement>> ask_for_labels(const Fit& teacher, const Rows& rows,
                                                              const FitRequest& request);

/// Those that the rule takes.
AgreedLabels take_agreed(const std::vector<metrics::Agreement>& agreements, const std::vector<std::size_t>& agreed,
                         const metrics::AgreementRule& rule);

/// {"rows", "agreed", "accuracy" of these (null where there are none), "accuracy_of_all"} of the validation rows,
/// treated as the unlabelled ones but for the bound on a class.
files::Json judge_agreement(const std::vector<metrics::Agreement>& agreements, const Prepared& prepared,
                            const metrics::AgreementRule& rule);

/// {label: rows}, every label.
files::Json count_by_label(const AgreedLabels& taken, const Prepared& prepared);

/// Their lines of selected_rows.jsonl: {"round", "id", "file", "line", "label", "agreement", "probability"}.
std::string selected_lines(const AgreedLabels& taken, const Prepared& prepared, std::int64_t round);

/// What is trained on: the labelled rows, and behind them these in every wording.
struct TaughtRows {
  std::vector<data::Example> examples;
  std::vector<task::Encoded> encoded;
};
TaughtRows taught_rows(const AgreedLabels& taken, const Prepared& prepared);

}  // namespace attune::job
