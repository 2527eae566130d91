// Training settings under their names in Transformers' TrainingArguments; defaults equal its defaults unless said.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace attune::train {

struct TrainingOptions {
  double num_train_epochs = 3.0;
  std::int64_t max_steps = -1;  ///< > 0 overrides num_train_epochs
  std::int64_t per_device_train_batch_size = 8;
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
  std::string lr_scheduler_type = "linear";  ///< linear, cosine, cosine_with_restarts, polynomial, constant, constant_with_warmup, …
  std::map<std::string, double> lr_scheduler_kwargs;
  double warmup_steps = 0;  ///< < 1: share of all steps, rounded up
  double label_smoothing_factor = 0.0;
  std::string class_weights = "none";  ///< none, balanced, given
  std::map<std::string, double> class_weight_values;
  std::uint64_t seed = 42;
  std::optional<std::uint64_t> data_seed;
  bool group_by_length = false;
  bool frozen_dropout = false;  ///< dropout stays on in frozen stages, as in the reference trainer

  std::string eval_strategy = "epoch";  ///< no, steps, epoch (TrainingArguments: no)
  double eval_steps = 0;                ///< steps, or a share of all steps when < 1
  bool eval_on_start = false;
  std::string logging_strategy = "steps";
  std::int64_t logging_steps = 10;      ///< (TrainingArguments: 500)
  std::string save_strategy = "epoch";  ///< no, steps, epoch, best
  double save_steps = 500;
  std::int64_t save_total_limit = 1;    ///< checkpoints kept besides the best; 0 = all
  std::optional<std::string> metric_for_best_model;
  std::optional<bool> greater_is_better;
  bool load_best_model_at_end = true;   ///< (TrainingArguments: false)
  std::string bf16 = "false";           ///< false, true, auto
};

struct EarlyStoppingOptions {
  bool enabled = false;  ///< set by the presence of the block
  std::int64_t patience = 2;
  double threshold = 0.0;
  std::string metric = "eval_loss";
  std::string mode = "auto";  ///< auto, min, max
};

}  // namespace attune::train
