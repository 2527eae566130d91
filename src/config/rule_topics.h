// What the rules of all topics share, and the topics.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "rules.h"

namespace attune::config {

/// Collects the violations of one configuration.
class Rules {
 public:
  using Keys = std::vector<std::string>;

  /// Both must outlive it.
  Rules(const job::RunOptions& options, const Machine& machine);

  void refuse_if(bool broken, Keys keys, std::string what, std::string hint);
  void add(std::vector<Violation> violations);
  std::vector<Violation> violations() && { return std::move(violations_); }

  /// Whether the option at this path differs from its default.
  bool changed(const std::string& path) const { return changed_.contains(path); }
  const std::set<std::string>& changed_paths() const { return changed_; }

  bool evaluates() const { return options.training.eval_strategy != "no"; }
  /// Whether a label is asked for: by a head, or in words.
  bool classifies() const { return options.model.task == "text-classification" || job::asks_labels(options); }
  bool has_holdout() const { return options.data.val_size > 0 || options.data.test_size > 0; }

  const job::RunOptions& options;
  const Machine& machine;

 private:
  std::set<std::string> changed_;
  std::vector<Violation> violations_;
};

void check_asking_rules(Rules& rules);    ///< rows as prompts, examples in front of them, what is asked for
void check_data_rules(Rules& rules);      ///< splits, folds, and columns that belong to a task
void check_tuning_rules(Rules& rules);    ///< what trains
void check_training_rules(Rules& rules);  ///< evaluation, saving, loss, optimiser, schedule

}  // namespace attune::config
