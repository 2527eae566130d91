// See fit.h.
#include "attune/job/fit.h"

#include <nlohmann/json.hpp>

#include "attune/adapt/freeze.h"
#include "attune/base/signals.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/job/text_generation.h"
#include "attune/metrics/table.h"
#include "attune/report/phase.h"
#include "attune/train/cost.h"
#include "attune/train/early_stopping.h"
#include "attune/train/evaluate.h"
#include "job/contrastive.h"
#include "job/data_summary.h"
#include "job/kept_layers.h"
#include "job/vector_head.h"

namespace attune::job {

std::vector<task::Encoded> rows_of(std::span<const task::Encoded> rows, std::span<const std::int64_t> examples) {
  std::vector<std::vector<const task::Encoded*>> by_example;
  for (const task::Encoded& row : rows) {
    if (static_cast<std::size_t>(row.example) >= by_example.size()) by_example.resize(row.example + 1);
    by_example[row.example].push_back(&row);
  }
  std::vector<task::Encoded> taken;
  for (const std::int64_t example : examples) {
    if (static_cast<std::size_t>(example) >= by_example.size()) continue;  // the length policy left its rows out
    for (const task::Encoded* row : by_example[example]) taken.push_back(*row);
  }
  return taken;
}

std::vector<double> passes_of(const files::ListView<task::Encoded>& rows, const Prepared& prepared) {
  const std::map<std::string, double>& weights = prepared.options.data.train_weights;
  std::vector<double> passes;
  if (weights.empty()) return passes;
  rows.for_each([&](const task::Encoded& row) {
    const auto found = weights.find(prepared.train.examples.get(static_cast<std::size_t>(row.example))->origin.file);
    passes.push_back(found == weights.end() ? 1.0 : found->second);
  });
  return passes;
}

std::string job_fingerprint(const Prepared& prepared, const FitRequest& request) {
  files::Json parts = prepared.fingerprints;
  parts["configuration"] = config::decisive(prepared.options);
  parts["seed"] = request.seed;
  parts["train_rows"] = request.train.size();
  if (!request.taught.empty()) parts["taught"] = request.taught;
  parts["environment"] = environment();
  parts["execution"] = describe(execution_of(prepared.options));
  return parts.dump();
}

namespace {

train::TrainJob train_job(const FitRequest& request, const Fit& fit) {
  const Prepared& prepared = *request.prepared;
  train::TrainJob job;
  job.model = fit.loaded.model.get();
  job.task = fit.task.get();
  job.trainable = fit.trainable;
  job.prefix = fit.prefix.get();
  job.train = {request.train, prepared.train.examples};
  if (!request.train_examples.empty()) job.train.examples = request.train_examples;
  job.passes = passes_of(request.train, prepared);
  if (!request.validation.empty()) job.validation = train::Split{request.validation, request.validation_examples};
  job.generation = prepared.generation;
  job.options = prepared.options.training;
  job.options.seed = request.seed;
  job.early_stopping = prepared.options.early_stopping;
  if (request.validation.empty()) {  // a refit on all rows has nothing to stop early on
    job.options.eval_strategy = "no";
    job.options.load_best_model_at_end = false;
    job.early_stopping.enabled = false;
    if (job.options.save_strategy == "best") job.options.save_strategy = "no";
  }
  if (request.epochs) job.options.num_train_epochs = *request.epochs;
  job.seed = request.seed;
  job.folder = request.folder;
  job.resume_from = request.resume;
  job.job_fingerprint = job_fingerprint(prepared, request);
  job.events = request.events;
  job.stop_after = request.max_steps;
  return job;
}

train::TrainResult nothing_trained() {
  train::TrainResult result;
  result.trainer_state = files::Json{{"global_step", 0}, {"log_history", files::Json::array()}}.dump();
  return result;
}

/// Everything but the training.
Fit open_fit(const FitRequest& request) {
  const Prepared& prepared = *request.prepared;
  Fit fit;
  report::Phase loading(*request.events, "loading");
  fit.loaded = open_base(prepared, request.seed);
  loading.end();
  fit.class_weights = class_weights(prepared, request.train);
  fit.task = make_fitted_task(prepared, fit.class_weights);
  fit.trainable = adapt::trainable_parameters(*fit.loaded.model, prepared.options.tuning);
  fit.prefix = frozen_prefix(fit.loaded, fit.trainable, prepared);
  fit.trained_rows = request.train.size();
  return fit;
}

}  // namespace

Fit fit(const FitRequest& request) {
  const Prepared& prepared = *request.prepared;
  const std::string& method = prepared.options.tuning.method;
  Fit fit = open_fit(request);
  if (method == "prototype") {
    fit.result = nothing_trained();
  } else if (method == "contrastive") {
    train_on_pairs(train_job(request, fit), request, fit);
  } else {
    fit.result = train::train(train_job(request, fit));
  }
  if (models::round_to_dtype(fit.loaded)) fit.result.validation_texts.clear();  // the rounded weights may write others
  if (has_vector_head(prepared) && fit.result.stopped_by != "signal") {
    fit.head = fit_vector_head(fit, request);
    fit.task = task::with_head(std::move(fit.task), *fit.head);
  }
  return fit;
}

Fit untouched(const FitRequest& request) {
  Fit fit = open_fit(request);
  fit.result = nothing_trained();
  fit.trained_rows = 0;
  return fit;
}

namespace {

/// Nothing after `stops` said yes.
std::optional<std::vector<task::Prediction>> predicted(const Fit& fit, const train::Split& rows, const FitRequest& request, bool (*stops)()) {
  report::Phase evaluating(*request.events, "evaluating", static_cast<std::int64_t>(rows.rows.size()), thing_of(rows.rows));
  const std::int64_t batch_size = request.prepared->options.training.per_device_eval_batch_size;
  const auto progress = [&](std::int64_t done) {
    evaluating.progress(done);
    return stops();
  };
  const train::FrozenMeter frozen(fit.prefix.get());
  auto predictions = train::predict_until(*fit.loaded.model, *fit.task, rows, batch_size, progress, fit.prefix.get());
  if (!predictions) return std::nullopt;
  evaluating.end();
  files::Json cost = {{"event", "cost"}};
  cost.update(train::evaluation_cost(train::cost_of(*fit.loaded.model, *predictions, frozen)));
  request.events->emit(cost);
  return predictions;
}

}  // namespace

std::optional<std::vector<task::Prediction>> predict_until_signal(const Fit& fit, const train::Split& rows,
                                                                  const FitRequest& request) {
  return predicted(fit, rows, request, [] { return stop_signal() != 0; });
}

std::vector<task::Prediction> predict_rows(const Fit& fit, const train::Split& rows, const FitRequest& request,
                                           std::span<const train::RowText> known) {
  auto predictions = predicted(fit, rows, request, [] { return false; });
  if (const auto& generation = request.prepared->generation) {
    if (known.empty()) {
      generate_texts(*fit.loaded.model, *generation, *predictions, *request.events);
    } else {
      train::set_texts(known, *predictions);
    }
    tell_of_cut_texts(*predictions);
  }
  return std::move(*predictions);
}

std::string main_metric(const RunOptions& options) {
  const train::WatchedMetric metric = train::best_model_metric(options.training, options.early_stopping);
  return std::string(metrics::without_eval_prefix(metric.name));
}

files::Json summary_of(const task::Scores& scores, const RunOptions& options) {
  files::Json summary = {{"metrics", scores.metrics()}, {"intervals", scores.intervals()}};
  summary["metrics"].update(scores.detail());
  if (files::Json samples = scores.samples(main_metric(options)); !samples.is_null()) summary["samples"] = std::move(samples);
  return summary;
}

Scored score_rows(const Fit& fit, const Rows& rows, const FitRequest& request, std::span<const train::RowText> known) {
  Scored scored;
  scored.predictions = predict_rows(fit, {rows.encoded, rows.examples}, request, known);
  report::Phase scoring(*request.events, "scoring");
  scored.summary = summary_of(*fit.task->scores(scored.predictions, rows.examples), request.prepared->options);
  scoring.end();
  return scored;
}

}  // namespace attune::job
