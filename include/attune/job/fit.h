// One fine-tuning from the base to a tuned model: what a plain run, a seed, a fold and a refit have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/job/prepare.h"
#include "attune/report/events.h"
#include "attune/task/vectors.h"
#include "attune/train/trainer.h"

namespace attune::job {

struct FitRequest {
  const Prepared* prepared = nullptr;
  files::ListView<task::Encoded> train;       ///< rows (windows) of prepared.train
  std::span<const task::Encoded> validation;  ///< rows of validation_examples; empty = no evaluation while training
  /// Of a fold: the copies that are meant.
  struct Taken {
    std::vector<task::Encoded> train, validation;
  };
  std::shared_ptr<const Taken> taken;
  std::span<const data::Example> validation_examples;
  /// Self-training: what `train` are rows of where these are others than prepared.train's, and a hash of their labels.
  std::span<const data::Example> train_examples;
  std::string taught;
  std::uint64_t seed = 42;
  std::string folder;  ///< checkpoints/ and best/ go here; "" = nothing is written
  std::string resume;  ///< "", "auto" or a checkpoint folder
  std::optional<double> epochs;  ///< instead of training.num_train_epochs (refit)
  std::optional<std::int64_t> max_steps;  ///< stop after so many steps although the schedule is planned for more (verify)
  const report::EventBus* events = nullptr;  ///< must be given; a bus without observers is silent
};

struct Fit {
  models::LoadedModel loaded;
  std::unique_ptr<train::FrozenPrefix> prefix;  ///< of the model; null where no layer below the trained ones is frozen
  std::unique_ptr<task::Task> task;
  std::optional<task::VectorHead> head;  ///< on the model's vectors (src/job/vector_head.h), which `task` applies
  std::size_t trained_rows = 0;          ///< pairs where these were trained on
  std::vector<double> class_weights;  ///< of the loss, by label id; empty for none
  std::vector<bool> trainable;
  train::TrainResult result;
  files::Json rounds;         ///< self-training: what each round found (src/job/self_training.h); null without
  std::string selected_rows;  ///< lines of selected_rows.jsonl
  std::string taught;         ///< FitRequest::taught of the last training
};

Fit fit(const FitRequest& request);
/// The same without training: the base as training would begin with it.
Fit untouched(const FitRequest& request);

/// Name of the metric that the best model is chosen by, as task::Scores has it.
std::string main_metric(const RunOptions& options);

/// {"metrics": {"loss", "accuracy", …} and the task's detail ("per_class", …), "intervals": {"accuracy": [low, high], …} (95 %,
/// bootstrap over rows, groups as clusters), "samples": of generated texts by the main metric, where there are any}.
files::Json summary_of(const task::Scores& scores, const RunOptions& options);

/// A split's predictions and the summary of their scores.
struct Scored {
  std::vector<task::Prediction> predictions;
  files::Json summary;
};
Scored score_rows(const Fit& fit, const Rows& rows, const FitRequest& request, std::span<const train::RowText> known = {});
/// The predictions alone, as a phase of the run. `known`: the rows' texts where this model has generated them already (of the
/// validation rows fit.result.validation_texts); empty: they are generated where the run asks for texts.
std::vector<task::Prediction> predict_rows(const Fit& fit, const train::Split& rows, const FitRequest& request,
                                           std::span<const train::RowText> known = {});
/// The same without texts; nothing after a stop signal.
std::optional<std::vector<task::Prediction>> predict_until_signal(const Fit& fit, const train::Split& rows,
                                                                  const FitRequest& request);

/// Everything that must be equal between a checkpoint and its resumption, as JSON text: configuration, data, split, tokenizer,
/// base, seed, threads, build.
std::string job_fingerprint(const Prepared& prepared, const FitRequest& request);

/// data.train_weights by row (TrainJob::passes); empty where nothing is mixed.
std::vector<double> passes_of(const files::ListView<task::Encoded>& rows, const Prepared& prepared);

/// Copies of the rows that belong to the given examples, in order of `examples`.
std::vector<task::Encoded> rows_of(std::span<const task::Encoded> rows, std::span<const std::int64_t> examples);

}  // namespace attune::job
