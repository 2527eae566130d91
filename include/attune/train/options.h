// Training settings under their names in Transformers' TrainingArguments; defaults equal its defaults unless said.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/fields.h"

namespace attune::train {

struct TrainingOptions {
  double num_train_epochs = 3.0;
  std::int64_t max_steps = -1;  ///< > 0 overrides num_train_epochs
  std::string batch_by = "rows";  ///< rows, tokens
  std::int64_t per_device_train_batch_size = 8;
  std::optional<std::int64_t> tokens_per_batch;  ///< under batch_by "tokens"
  std::int64_t per_device_eval_batch_size = 64;  ///< (TrainingArguments: 8; the metric does not depend on it)
  std::int64_t gradient_accumulation_steps = 1;
  double learning_rate = 5e-5;
  std::optional<double> head_learning_rate;
  std::optional<double> layerwise_lr_decay;
  double weight_decay = 0.0;
  std::string optim = "adamw_torch_fused";  ///< adamw_torch_fused, adamw_torch, sgd
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double sgd_momentum = 0.0;
  double max_grad_norm = 1.0;  ///< 0 = no clipping
  std::string lr_scheduler_type =
      "linear";  ///< linear, cosine, cosine_with_restarts, polynomial, constant, constant_with_warmup
  std::map<std::string, double> lr_scheduler_kwargs;
  double warmup_steps = 0;  ///< < 1: share of all steps, rounded up
  double label_smoothing_factor = 0.0;
  std::string class_weights = "none";  ///< none, balanced, given
  std::map<std::string, double> class_weight_values;
  std::uint64_t seed = 42;  ///< of one run: set from the configuration's `seeds`, for which `training.seed` is an alias
  std::optional<std::uint64_t> data_seed;
  std::string train_sampling_strategy = "random";  ///< random, sequential
  bool group_by_length = false;
  bool gradient_checkpointing = false;  ///< stages are run again for backward
  bool frozen_dropout = false;  ///< dropout stays on in frozen stages, as in the reference trainer
  std::int64_t prefix_cache_mib = -1;  ///< memory for what frozen layers computed; 0 = none, -1 = auto

  std::string eval_strategy = "epoch";  ///< no, steps, epoch (TrainingArguments: no)
  double eval_steps = 0;                ///< steps, or a share of all steps when < 1
  bool eval_on_start = false;
  bool predict_with_generate = false;
  std::string logging_strategy = "steps";
  std::int64_t logging_steps = 10;      ///< (TrainingArguments: 500)
  std::string save_strategy = "epoch";  ///< no, steps, epoch, best
  double save_steps = 500;
  std::int64_t save_total_limit = 1;  ///< checkpoints kept besides the best; 0 = all
  std::optional<std::string> metric_for_best_model;
  std::optional<bool> greater_is_better;
  bool load_best_model_at_end = true;  ///< (TrainingArguments: false)
  std::string bf16 = "false";          ///< false, true, auto
};

struct EarlyStoppingOptions {
  bool enabled = false;  ///< set by the presence of the block
  std::int64_t patience = 2;
  double threshold = 0.0;
  std::string metric = "eval_loss";
  std::string mode = "auto";  ///< auto, min, max
};

template <class Visitor>
void visit_length_fields(Visitor& visit, TrainingOptions& options) {
  visit(options.num_train_epochs, {.key = "num_train_epochs",
                                   .help = "Passes over the training rows.",
                                   .range = {.min = 0, .max = 1e6, .min_excluded = true},
                                   .aliases = {"num_epochs", "epochs"}});
  visit(options.max_steps, {.key = "max_steps",
                            .help = "Stops after so many optimiser steps, whatever `num_train_epochs` says; -1 for no "
                                    "such limit.",
                            .range = count_from(-1)});
  visit(options.batch_by, {.key = "batch_by",
                           .help = "What the size of a training batch is counted in: `rows` "
                                   "(`per_device_train_batch_size`) or `tokens` (`tokens_per_batch`). By default `tokens` "
                                   "where `tokens_per_batch` is given.",
                           .choices = {"rows", "tokens"}});
  visit(options.per_device_train_batch_size,
        {.key = "per_device_train_batch_size",
         .help = "Rows a batch.",
         .range = count_from(1),
         .aliases = {"train_batch_size", "batch_size", "micro_batch_size", "per_gpu_train_batch_size"}});
  visit(options.tokens_per_batch,
        {.key = "tokens_per_batch",
         .help = "Most tokens a batch under `batch_by: tokens`; there is no padding that would count. Rows of about the same "
                 "length share a batch, and the batches come in another order each epoch. A row that is longer is an "
                 "error.",
         .range = count_from(1),
         .aliases = {"max_tokens_per_batch", "mini_batch_words"}});
  visit(options.per_device_eval_batch_size, {.key = "per_device_eval_batch_size",
                                             .help = "Rows a batch in evaluation and prediction.",
                                             .range = count_from(1),
                                             .aliases = {"eval_batch_size", "per_gpu_eval_batch_size"}});
  visit(options.gradient_accumulation_steps, {.key = "gradient_accumulation_steps",
                                              .help = "Batches whose gradients are added up for one optimiser step.",
                                              .range = count_from(1),
                                              .aliases = {"grad_accumulation_steps"}});
}

template <class Visitor>
void visit_optimizer_fields(Visitor& visit, TrainingOptions& options) {
  visit(
      options.learning_rate,
      {.key = "learning_rate", .help = "Highest learning rate of the schedule.", .range = above(0), .aliases = {"lr"}});
  visit(options.head_learning_rate, {.key = "head_learning_rate",
                                     .help = "Learning rate of the head. By default the same as the rest.",
                                     .range = above(0),
                                     .aliases = {"head_lr"}});
  visit(options.layerwise_lr_decay,
        {.key = "layerwise_lr_decay",
         .help = "Each layer learns at this share of the rate of the layer above it. By default all learn alike.",
         .range = {.min = 0, .max = 1, .min_excluded = true},
         .aliases = {"layer_wise_lr_decay", "llrd"}});
  visit(options.weight_decay, {.key = "weight_decay",
                               .help = "Decoupled weight decay; biases and norm layers are left out.",
                               .range = at_least(0)});
  visit(options.optim, {.key = "optim",
                        .help = "Optimiser. Both AdamW names mean the same fused AdamW.",
                        .choices = {"adamw_torch_fused", "adamw_torch", "sgd"},
                        .aliases = {"optimizer"}});
  visit(options.adam_beta1, {.key = "adam_beta1", .help = "AdamW's decay of the first moment.", .range = share()});
  visit(options.adam_beta2, {.key = "adam_beta2", .help = "AdamW's decay of the second moment.", .range = share()});
  visit(options.adam_epsilon, {.key = "adam_epsilon",
                               .help = "AdamW's term against division by zero.",
                               .range = above(0),
                               .aliases = {"adam_eps"}});
  visit(options.sgd_momentum, {.key = "sgd_momentum", .help = "Momentum of `optim: sgd`.", .range = share()});
  visit(options.max_grad_norm, {.key = "max_grad_norm",
                                .help = "Gradients whose norm exceeds this are scaled down to it; 0 for no clipping.",
                                .range = at_least(0),
                                .aliases = {"gradient_clipping", "max_norm"}});
}

template <class Visitor>
void visit_schedule_fields(Visitor& visit, TrainingOptions& options) {
  visit(options.lr_scheduler_type,
        {.key = "lr_scheduler_type",
         .help = "Course of the learning rate after the warm-up, by Transformers' formulas.",
         .choices = {"linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"},
         .aliases = {"lr_scheduler", "lr_schedule"}});
  visit(options.lr_scheduler_kwargs,
        {.key = "lr_scheduler_kwargs",
         .help = "Settings of the schedule: `num_cycles` (cosine, cosine_with_restarts), `power` and `lr_end` "
                 "(polynomial)."});
  visit(options.warmup_steps,
        {.key = "warmup_steps",
         .help = "Steps over which the learning rate rises from 0: a number, or a share of all steps below 1.",
         .range = share_or_count(),
         .aliases = {{"warmup_ratio", share()}, "num_warmup_steps", "lr_warmup_steps"}});
}

template <class Visitor>
void visit_loss_fields(Visitor& visit, TrainingOptions& options) {
  visit(options.label_smoothing_factor, {.key = "label_smoothing_factor",
                                         .help = "Share of the target that is spread evenly over all classes.",
                                         .range = share(),
                                         .aliases = {"label_smoothing"}});
  visit(ChoiceOrNumbers{options.class_weights, options.class_weight_values},
        {.key = "class_weights",
         .help = "Weights of the classes in the loss: `balanced` weighs a class by the inverse of its share of the "
                 "training rows; an object such as `{\"fraud\": 5}` gives them, 1 for a label that it leaves out.",
         .range = at_least(0),
         .choices = {"none", "balanced"},
         .literals = {{"null", "none"}}});
  visit(options.data_seed,
        {.key = "data_seed", .help = "Seed of the order of the training rows. By default the run's seed."});
  visit(options.train_sampling_strategy,
        {.key = "train_sampling_strategy",
         .help = "Order of the training rows: another one each epoch (`random`), or that of the files (`sequential`).",
         .choices = {"random", "sequential"}});
  visit(options.gradient_checkpointing,
        {.key = "gradient_checkpointing",
         .help = "Keeps only what crosses from layer to layer and computes each layer again for its gradients: less "
                 "memory, about a third more time, the same numbers."});
  visit(options.group_by_length,
        {.key = "group_by_length", .help = "Puts rows of about the same length into one batch. Under `batch_by: tokens` they always are."});
  visit(options.frozen_dropout,
        {.key = "frozen_dropout", .help = "Keeps dropout on in frozen layers, as the reference trainer does."});
  visit(options.prefix_cache_mib,
        {.key = "prefix_cache_mib",
         .help = "Memory, in MiB, for what the frozen layers below the trained ones compute, so that epochs, evaluations, "
                 "folds and seeds compute it once for each text; the same bits as without. `auto` takes a quarter of the "
                 "memory that is available. What does not fit goes to a temporary file in `output_dir`, which takes at "
                 "most half of the free space; 0 keeps nothing. Not used under `frozen_dropout` and by fill-mask, which hides "
                 "other words of a text each time.",
         .range = count_from(0),
         .literals = {{"\"auto\"", "-1"}},
         .part_of_job = false});
  visit(options.bf16, {.key = "bf16",
                       .help = "Computes matrix products in bfloat16 while weights stay in float32; `auto` where the "
                               "device is fast at it.",
                       .choices = {"false", "true", "auto"},
                       .literals = {{"false", "false"}, {"true", "true"}}});
}

template <class Visitor>
void visit_event_fields(Visitor& visit, TrainingOptions& options) {
  visit(options.eval_strategy, {.key = "eval_strategy",
                                .help = "When the validation rows are evaluated. By default `epoch`, or `no` where "
                                        "there are none.",
                                .choices = {"no", "steps", "epoch"},
                                .aliases = {"evaluation_strategy"}});
  visit(options.eval_steps, {.key = "eval_steps",
                             .help = "Steps between evaluations under `eval_strategy: steps`: a number, or a share of "
                                     "all steps below 1.",
                             .range = share_or_count()});
  visit(options.eval_on_start, {.key = "eval_on_start", .help = "Evaluates before the first step too."});
  visit(options.predict_with_generate,
        {.key = "predict_with_generate",
         .help = "Evaluation and prediction also generate a text from the prompt of each row, as `generation` says, and "
                 "score it against the row's answer by ROUGE, BLEU, chrF, exact match and F1 of words."});
  visit(options.logging_strategy, {.key = "logging_strategy",
                                   .help = "When loss, gradient norm and learning rate are logged.",
                                   .choices = {"no", "steps", "epoch"},
                                   .part_of_job = false});
  visit(options.logging_steps, {.key = "logging_steps",
                                .help = "Steps between log lines under `logging_strategy: steps`.",
                                .range = count_from(1),
                                .part_of_job = false});
  visit(options.save_strategy, {.key = "save_strategy",
                                .help = "When a checkpoint is written; `best` after each evaluation that is the best "
                                        "so far.",
                                .choices = {"no", "steps", "epoch", "best"},
                                .part_of_job = false});
  visit(options.save_steps, {.key = "save_steps",
                             .help = "Steps between checkpoints under `save_strategy: steps`: a number, or a share of "
                                     "all steps below 1.",
                             .range = {.min = 0, .max = kLargestCount, .min_excluded = true, .whole_from_one = true},
                             .part_of_job = false});
  visit(options.save_total_limit, {.key = "save_total_limit",
                                   .help = "Checkpoints kept besides the best one, newest first; null keeps all.",
                                   .range = count_from(1),
                                   .aliases = {"keep_last_n_checkpoints"},
                                   .literals = {{"null", "0"}},
                                   .part_of_job = false});
}

template <class Visitor>
void visit_best_fields(Visitor& visit, TrainingOptions& options) {
  visit(options.metric_for_best_model,
        {.key = "metric_for_best_model",
         .help = "Metric of the validation rows by which the best model is chosen, as in `eval_accuracy`. By default "
                 "`early_stopping.metric`."});
  visit(options.greater_is_better,
        {.key = "greater_is_better", .help = "Whether more of that metric is better. By default unless it is a loss."});
  visit(options.load_best_model_at_end,
        {.key = "load_best_model_at_end",
         .help = "Ends with the best model instead of the last. By default where there are evaluations."});
}

template <class Visitor>
void visit_fields(Visitor& visit, TrainingOptions& options) {
  visit_length_fields(visit, options);
  visit_optimizer_fields(visit, options);
  visit_schedule_fields(visit, options);
  visit_loss_fields(visit, options);
  visit_event_fields(visit, options);
  visit_best_fields(visit, options);
}

template <class Visitor>
void visit_fields(Visitor& visit, EarlyStoppingOptions& options) {
  visit(options.patience, {.key = "patience",
                           .help = "Stops after so many evaluations in a row without a better value.",
                           .range = count_from(1),
                           .aliases = {"early_stopping_patience", "early_stopping_steps"}});
  visit(options.threshold, {.key = "threshold",
                            .help = "How much better a value must be to count.",
                            .range = at_least(0),
                            .aliases = {"early_stopping_threshold"}});
  visit(
      options.metric,
      {.key = "metric", .help = "Metric of the validation rows that is watched, as in `eval_loss`.", .required = true});
  visit(options.mode, {.key = "mode",
                       .help = "Whether less (`min`) or more (`max`) is better; `auto`: less of a loss, more of the "
                               "rest.",
                       .choices = {"auto", "min", "max"}});
}

}  // namespace attune::train
