// Rules for the training loop: evaluation, saving, loss, optimiser, order and schedule.
#include <algorithm>
#include <iterator>

#include "attune/base/strings.h"
#include "metric_rules.h"
#include "rule_topics.h"

namespace attune::config {

namespace {

void check_evaluation(Rules& rules) {
  const auto& training = rules.options.training;
  const auto& folds = rules.options.cross_validation;
  const Rules::Keys sources = {"data.validation", "data.val_size", "cross_validation",
                               "cross_validation.inner_validation"};
  const bool has_rows = folds.enabled ? folds.inner_validation > 0
                                      : !rules.options.data.validation.empty() || rules.options.data.val_size > 0;
  const std::string rows_hint = folds.enabled ? "give cross_validation.inner_validation a share above 0"
                                              : "name data.validation, or hold out a share with data.val_size";
  const auto with = [&](Rules::Keys keys) {
    keys.push_back("training.eval_strategy");
    keys.insert(keys.end(), sources.begin(), sources.end());
    return keys;
  };
  rules.refuse_if(rules.evaluates() && !has_rows, with({"training.eval_strategy"}),
                  concat("evaluation (\"", training.eval_strategy, "\") needs validation rows, and there are none"),
                  rows_hint);
  const std::string hint = has_rows ? "set training.eval_strategy to \"epoch\" or \"steps\"" : rows_hint;
  const std::string why = has_rows ? "and training.eval_strategy is \"no\"" : "and there are no validation rows";
  const bool has_head_at_end = adapt::has_vector_head(rules.options.tuning);  // (which has a rule of its own)
  rules.refuse_if(rules.options.early_stopping.enabled && !rules.evaluates() && !has_head_at_end, with({"early_stopping"}),
                  "early stopping needs evaluations, " + why, hint);
  rules.refuse_if(training.load_best_model_at_end && !rules.evaluates(), with({"training.load_best_model_at_end"}),
                  "the best model is found by evaluations, " + why, hint);
  const bool chooses_seed = has_rows && rules.options.seeds.size() > 1;
  rules.refuse_if(training.metric_for_best_model && !rules.evaluates() && !chooses_seed,
                  with({"training.metric_for_best_model"}), "the best model is found by evaluations, " + why, hint);
  rules.refuse_if(training.save_strategy == "best" && !rules.evaluates(), with({"training.save_strategy"}),
                  "saving the best model needs evaluations, " + why, hint);
  rules.refuse_if(training.eval_on_start && !rules.evaluates(), with({"training.eval_on_start"}),
                  "an evaluation at the start needs evaluations, " + why, hint);
  rules.refuse_if(training.eval_strategy == "steps" && training.eval_steps == 0,
                  {"training.eval_steps", "training.eval_strategy"}, "evaluation by steps does not say after how many",
                  "give training.eval_steps");
  rules.refuse_if(training.eval_strategy != "steps" && rules.changed("training.eval_steps"),
                  {"training.eval_steps", "training.eval_strategy"},
                  concat("has no effect while training.eval_strategy is \"", training.eval_strategy, "\""),
                  "set training.eval_strategy to \"steps\", or remove it");
  rules.refuse_if(training.max_steps > 0 && training.eval_steps > static_cast<double>(training.max_steps),
                  {"training.eval_steps", "training.max_steps"},
                  "no evaluation would happen: the run has fewer steps than lie between two",
                  "lower training.eval_steps");
}

void check_saving(Rules& rules) {
  const auto& training = rules.options.training;
  rules.refuse_if(training.save_strategy != "steps" && rules.changed("training.save_steps"),
                  {"training.save_steps", "training.save_strategy"},
                  concat("has no effect while training.save_strategy is \"", training.save_strategy, "\""),
                  "set training.save_strategy to \"steps\", or remove it");
  rules.refuse_if(training.save_strategy == "steps" && training.max_steps > 0 &&
                      training.save_steps > static_cast<double>(training.max_steps),
                  {"training.save_steps", "training.save_strategy", "training.max_steps"},
                  "no checkpoint would be written: the run has fewer steps than lie between two",
                  "lower training.save_steps");
  rules.refuse_if(training.logging_strategy != "steps" && rules.changed("training.logging_steps"),
                  {"training.logging_steps", "training.logging_strategy"},
                  concat("has no effect while training.logging_strategy is \"", training.logging_strategy, "\""),
                  "set training.logging_strategy to \"steps\", or remove it");
  rules.refuse_if(training.max_steps == 0, {"training.max_steps"}, "a run of 0 steps trains nothing",
                  "give a number above 0, or -1 for no limit");
  rules.refuse_if(rules.options.overwrite_output_dir && !rules.options.resume_from_checkpoint.empty(),
                  {"overwrite_output_dir", "resume_from_checkpoint"}, "the run that is to go on would be overwritten",
                  "remove one of the two");
  const bool one_folder =
      !rules.options.resume_from_checkpoint.empty() && rules.options.resume_from_checkpoint != "auto";
  rules.refuse_if(one_folder && rules.options.seeds.size() > 1, {"resume_from_checkpoint", "seeds"},
                  "one checkpoint folder cannot belong to the runs of several seeds", "use \"auto\"");
  rules.refuse_if(one_folder && rules.options.cross_validation.enabled, {"resume_from_checkpoint", "cross_validation"},
                  "one checkpoint folder cannot belong to several folds", "use \"auto\"");
}

void check_loss(Rules& rules) {
  const auto& training = rules.options.training;
  const bool weighted = training.class_weights != "none";
  const bool smoothed = training.label_smoothing_factor > 0;
  const bool numbers = rules.options.data.labels == "regression";
  const bool several = rules.options.data.labels == "multi";
  const bool no_classes = !rules.classifies() && rules.options.model.task != "token-classification";
  rules.refuse_if(weighted && (numbers || several || no_classes),
                  {"training.class_weights", "data.labels", "model.task"},
                  "weights of classes need one class for each prediction", "remove it");
  rules.refuse_if(training.class_weights == "given" && training.class_weight_values.empty(), {"training.class_weights"},
                  "names no class", "give a weight for at least one label, or \"balanced\"");
  rules.refuse_if(smoothed && (numbers || several || rules.options.model.task == "question-answering"),
                  {"training.label_smoothing_factor", "data.labels", "model.task"},
                  "label smoothing needs one class for each prediction", "remove it");
}

void check_schedule(Rules& rules) {
  const std::string& type = rules.options.training.lr_scheduler_type;
  rules.refuse_if(type == "constant" && rules.options.training.warmup_steps > 0,
                  {"training.warmup_steps", "training.lr_scheduler_type"}, "the schedule \"constant\" has no warm-up",
                  "set training.lr_scheduler_type to \"constant_with_warmup\"");
  std::vector<std::string> known;
  if (type == "cosine" || type == "cosine_with_restarts") known = {"num_cycles"};
  if (type == "polynomial") known = {"lr_end", "power"};
  for (const auto& entry : rules.options.training.lr_scheduler_kwargs) {
    const bool unknown = std::find(known.begin(), known.end(), entry.first) == known.end();
    rules.refuse_if(unknown, {"training.lr_scheduler_kwargs", "training.lr_scheduler_type"},
                    concat("the schedule \"", type, "\" has no setting '", entry.first, "'"),
                    known.empty() ? "it has none: remove it" : "it has " + join(known, " and "));
  }
}

void check_batches(Rules& rules) {
  const auto& training = rules.options.training;
  const bool by_tokens = training.batch_by == "tokens";
  rules.refuse_if(by_tokens && !training.tokens_per_batch, {"training.batch_by", "training.tokens_per_batch"},
                  "batches of tokens are asked for, and nothing says of how many", "give training.tokens_per_batch");
  rules.refuse_if(!by_tokens && training.tokens_per_batch, {"training.tokens_per_batch", "training.batch_by"},
                  "has no effect while training.batch_by is \"rows\"",
                  "set training.batch_by to \"tokens\", or remove it");
  rules.refuse_if(by_tokens && rules.changed("training.per_device_train_batch_size"),
                  {"training.per_device_train_batch_size", "training.batch_by"},
                  "has no effect while training.batch_by is \"tokens\"", "remove one of the two");
  rules.refuse_if(by_tokens && training.group_by_length, {"training.group_by_length", "training.batch_by"},
                  "batches of tokens are of about one length in any case", "remove it");
}

void check_order(Rules& rules) {
  rules.refuse_if(
      rules.options.training.train_sampling_strategy == "sequential" && rules.options.training.group_by_length,
      {"training.train_sampling_strategy", "training.group_by_length"}, "the rows have one order only",
      "keep one of them");
  rules.refuse_if(rules.options.training.train_sampling_strategy == "sequential" && rules.options.training.data_seed,
                  {"training.train_sampling_strategy", "training.data_seed"},
                  "nothing is drawn when the rows come as in the files", "remove the seed");
}

void check_optimizer(Rules& rules) {
  const std::string& optim = rules.options.training.optim;
  rules.refuse_if(optim != "sgd" && rules.changed("training.sgd_momentum"), {"training.sgd_momentum", "training.optim"},
                  concat("has no effect with optimiser \"", optim, "\""),
                  "remove it, or set training.optim to \"sgd\"");
  for (const char* key : {"training.adam_beta1", "training.adam_beta2", "training.adam_epsilon"}) {
    rules.refuse_if(optim == "sgd" && rules.changed(key), {key, "training.optim"},
                    "has no effect with optimiser \"sgd\"", "remove it");
  }
  check_order(rules);
  check_schedule(rules);
  auto seeds = rules.options.seeds;
  std::sort(seeds.begin(), seeds.end());
  rules.refuse_if(std::adjacent_find(seeds.begin(), seeds.end()) != seeds.end(), {"seeds"}, "a seed is listed twice",
                  "two runs with one seed are the same run: remove one");
}

/// Where the block is only switched off it may stay: config.cpp tells of it.
void check_generation(Rules& rules) {
  if (rules.options.model.task == "text-generation") return;
  const std::string why = concat("belongs to text-generation, and the task is ", rules.options.model.task);
  const std::string hint = "remove it, or set model.task";
  rules.refuse_if(rules.options.training.predict_with_generate, {"training.predict_with_generate", "model.task"}, why,
                  hint);
  Rules::Keys keys;
  std::ranges::copy_if(rules.changed_paths(), std::back_inserter(keys),
                       [](const std::string& path) { return path.starts_with("generation."); });
  keys.push_back("model.task");
  rules.refuse_if(keys.size() > 1, keys, why, hint);
}

}  // namespace

void check_training_rules(Rules& rules) {
  check_evaluation(rules);
  check_generation(rules);
  check_saving(rules);
  check_batches(rules);
  check_loss(rules);
  check_optimizer(rules);
}

}  // namespace attune::config
