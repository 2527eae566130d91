// The training loop and what hangs on it. The loop, as pseudo-code:
//
//   for epoch: for window of gradient_accumulation_steps batches (order = torch.randperm under data_seed + epoch):
//     Σ w of the window                                   (task.loss_weight: known before any forward pass)
//     for batch: forward by stages, loss sum / Σ w, backward by stages into the gradient arena
//     norm, clip; non-finite → stop before the step
//     optimiser step, schedule step, zero gradients
//     event log → evaluate → best → early stop → checkpoint; poll the stop signal
//   best model reloaded
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/files/long_list.h"
#include "attune/models/model.h"
#include "attune/report/events.h"
#include "attune/task/task.h"
#include "attune/train/frozen_prefix.h"
#include "attune/train/generation.h"
#include "attune/train/options.h"
#include "attune/train/plan.h"

namespace attune::train {

struct Split {
  std::span<const task::Encoded> rows;
  std::span<const data::Example> examples;
};

/// Rows to train on, which need not lie in memory; those of a step do while it lasts.
struct TrainRows {
  files::ListView<task::Encoded> rows;
  files::ListView<data::Example> examples;
};

struct TrainJob {
  models::Model* model = nullptr;
  const task::Task* task = nullptr;
  std::vector<bool> trainable;  ///< one a parameter
  FrozenPrefix* prefix = nullptr;  ///< of the model, at most the stages below those that train; null: nothing is kept
  TrainRows train;
  std::vector<double> passes;  ///< Plan's: how often each training row is read an epoch; empty = once
  Plan::Arrange arrange;       ///< Plan's: which rows meet in a batch; empty = as they are shuffled
  std::optional<Split> validation;
  std::optional<TextGeneration> generation;  ///< evaluations generate texts too
  TrainingOptions options;
  EarlyStoppingOptions early_stopping;
  std::uint64_t seed = 42;
  std::string folder;              ///< where checkpoints/ goes; "" = no checkpoints, the best model is kept in memory only
  std::string resume_from;         ///< a checkpoint folder, "auto" or ""
  std::string job_fingerprint;     ///< JSON object of all that must not change between a checkpoint and its resumption
  const report::EventBus* events = nullptr;
  std::optional<std::int64_t> stop_after;  ///< end after this step although the schedule is planned for more (verify)
};

/// Per step, for the manifest and `verify`.
struct TrajectoryPoint {
  std::int64_t step;
  double loss;
  double grad_norm;
  std::string weights_sha256;                ///< "" except at recorded steps: 1, 2, 4, 8, … and the last
  std::vector<std::string> tensors_sha256;  ///< beside it: of each parameter, in the model's order
};

struct TrainResult {
  std::int64_t steps = 0;
  double epochs = 0;
  double train_loss = 0;  ///< mean over all steps
  double seconds = 0;
  std::int64_t tokens = 0;
  double flops = 0;  ///< of the model (models/flops.h): forward, backward and frozen stages
  std::string stopped_by = "end";  ///< end, early_stopping, signal
  std::optional<std::int64_t> best_step;
  double best_epoch = 0;
  double best_metric = 0;
  std::vector<files::Json> log_history;  ///< trainer_state.json's log_history
  std::vector<TrajectoryPoint> trajectory;
  std::string trainer_state;  ///< text of trainer_state.json
  /// What the model wrote for the validation rows, where an evaluation of these very weights generated texts; else empty
  /// (a resumed run knows nothing of evaluations before).
  std::vector<RowText> validation_texts;
};

/// Trains job.model in place; afterwards it holds the best model (load_best_model_at_end) or the last, after a signal or
/// `stop_after` the last. A checkpoint that cannot be written is a warning while training goes on; after a signal it is an
/// Error{storage}. Throws Error{diverged} before a non-finite step would be applied, Error{resume_refused}, Error{usage},
/// Error{data}. Sets no thread counts.
TrainResult train(const TrainJob& job);

/// All rows in order of length by token budget; predictions come back in the order of `rows`. `examples`: those that the
/// rows are of, for errors to name them; may be empty.
std::vector<task::Prediction> predict(models::Model& model, const task::Task& task, std::span<const task::Encoded> rows,
                                      std::int64_t batch_size, std::span<const data::Example> examples = {});

/// SHA-256 of each parameter's name, dtype, shape and bytes, in order; and of all of these together. Those that are
/// `known` already are not computed again; "" stands for the others.
std::vector<std::string> tensors_sha256(const models::Model& model, std::vector<std::string> known = {});
/// The same of the parameters that a stage below `stages` reads; "" for the others.
std::vector<std::string> tensors_sha256_below(const models::Model& model, int stages, std::vector<std::string> known);
std::string combined_sha256(const std::vector<std::string>& tensor_hashes);
std::string weights_sha256(const models::Model& model);

}  // namespace attune::train
