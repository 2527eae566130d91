// Defaults that follow from other options. They are resolved before the rules and stand in the effective configuration.
#include <array>

#include "rules.h"

namespace attune::config {

namespace {

using job::RunOptions;

bool one_class_a_row(const RunOptions& options) {
  const auto& labels = options.data.labels;
  return (options.model.task == "text-classification" || job::asks_labels(options)) &&
         (labels == "auto" || labels == "single");
}

bool has_validation_rows(const RunOptions& options) {
  if (options.cross_validation.enabled) return options.cross_validation.inner_validation > 0;
  return !options.data.validation.empty() || options.data.val_size > 0;
}

bool is_contrastive(const RunOptions& options) {
  return options.tuning.method == "contrastive";
}

struct DerivedDefault {
  const char* path;
  void (*apply)(RunOptions&);
};

/// In order: a later row may look at what an earlier one set.
constexpr std::array kDerivedDefaults = {
    // One group column, under either name: rows are read by the first, folds look at the second.
    DerivedDefault{"data.columns.group",
                   [](RunOptions& options) {
                     if (options.cross_validation.enabled)
                       options.data.columns.group = options.cross_validation.group_column;
                   }},
    DerivedDefault{"cross_validation.group_column",
                   [](RunOptions& options) { options.cross_validation.group_column = options.data.columns.group; }},
    DerivedDefault{"data.split",
                   [](RunOptions& options) {
                     const auto& columns = options.data.columns;
                     options.data.split = columns.group              ? "group"
                                          : columns.time             ? "time"
                                          : one_class_a_row(options) ? "stratified"
                                                                     : "random";
                   }},
    DerivedDefault{"cross_validation.by_time",
                   [](RunOptions& options) {
                     options.cross_validation.by_time =
                         options.cross_validation.enabled && options.data.columns.time && !options.data.columns.group;
                   }},
    DerivedDefault{"cross_validation.stratify",
                   [](RunOptions& options) {
                     auto& folds = options.cross_validation;
                     folds.stratify = one_class_a_row(options) && !folds.by_time;
                   }},
    DerivedDefault{"prompting.prompts", [](RunOptions& options) { options.prompting.prompts = options.data.prompts; }},
    DerivedDefault{"cross_validation.inner_validation",
                   [](RunOptions& options) {
                     const bool unread = adapt::has_vector_head(options.tuning);  // nothing is chosen while training
                     if (options.cross_validation.enabled && unread) options.cross_validation.inner_validation = 0;
                   }},
    DerivedDefault{
        "training.batch_by",
        [](RunOptions& options) { options.training.batch_by = options.training.tokens_per_batch ? "tokens" : "rows"; }},
    DerivedDefault{"training.eval_strategy",
                   [](RunOptions& options) {
                     const bool evaluates = has_validation_rows(options) && !adapt::has_vector_head(options.tuning);
                     options.training.eval_strategy = evaluates ? "epoch" : "no";
                   }},
    DerivedDefault{
        "training.load_best_model_at_end",
        [](RunOptions& options) { options.training.load_best_model_at_end = options.training.eval_strategy != "no"; }},
    // SetFit's settings (setfit.TrainingArguments), where its method is used.
    DerivedDefault{"training.num_train_epochs",
                   [](RunOptions& options) {
                     if (is_contrastive(options)) options.training.num_train_epochs = 1;
                   }},
    DerivedDefault{"training.per_device_train_batch_size",
                   [](RunOptions& options) {
                     const bool by_rows = options.training.batch_by == "rows";
                     if (is_contrastive(options) && by_rows) options.training.per_device_train_batch_size = 16;
                   }},
    DerivedDefault{"training.learning_rate",
                   [](RunOptions& options) {
                     if (is_contrastive(options)) options.training.learning_rate = 2e-5;
                   }},
    DerivedDefault{"training.warmup_steps",
                   [](RunOptions& options) {
                     const bool warms_up = options.training.lr_scheduler_type != "constant";
                     if (is_contrastive(options) && warms_up) options.training.warmup_steps = 0.1;
                   }},
    DerivedDefault{"training.weight_decay",
                   [](RunOptions& options) {
                     if (is_contrastive(options)) options.training.weight_decay = 0.01;
                   }},
};

}  // namespace

std::vector<std::string> derived_keys() {
  std::vector<std::string> keys;
  for (const auto& row : kDerivedDefaults) keys.emplace_back(row.path);
  return keys;
}

void derive_defaults(RunOptions& options, const std::set<std::string>& given) {
  for (const auto& row : kDerivedDefaults) {
    if (given.count(row.path) == 0) row.apply(options);
  }
}

}  // namespace attune::config
