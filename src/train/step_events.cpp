// See step_events.h.
#include "step_events.h"

#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/print_number.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/train/cost.h"
#include "attune/train/evaluate.h"
#include "diagnose.h"

namespace attune::train {

namespace {

using files::Json;

double learning_rate(const Run& run) { return run.options.learning_rate * run.schedule.factor(run.state.step - 1); }

void log_step(Run& run) {
  TrainState& state = run.state;
  if (!run.plan.logs(state.step) || state.unlogged_steps == 0) return;
  const Json fields = {{"loss", state.unlogged_loss / static_cast<double>(state.unlogged_steps)},
                       {"grad_norm", state.trajectory.back().grad_norm},
                       {"learning_rate", learning_rate(run)}};
  Json entry = fields;
  entry.update({{"epoch", run.epoch()}, {"step", state.step}});
  state.log_history.push_back(std::move(entry));
  Json event = fields;
  event["tokens_per_second"] = static_cast<double>(state.tokens) / std::max(run.seconds(), 1e-9);
  run.emit("log", event);
  state.unlogged_loss = 0;
  state.unlogged_steps = 0;
}

/// Losses that are not finite, or beyond all scales, end the training (diagnose.h); those that are only large it survives, which may be
/// meant.
void watch_loss(Run& run) {
  if (!run.watch.rises(run.state.trajectory.back().loss)) return;
  const std::string message =
      concat("step ", run.state.step, ": ", run.watch.describe(), " at a learning rate of ",
             print_number("%.4g", learning_rate(run)), ": the training diverges; lower training.learning_rate, or begin more slowly (training.warmup_steps)",
             run.options.max_grad_norm == 0 ? ", and clip (training.max_grad_norm)" : "");
  log::warning(message);
  run.emit("warning", {{"message", message}});
}

void check_validation_loss(const Run& run, const Json& metrics) {
  const Json loss = metrics.value("eval_loss", Json());
  if (loss.is_number() && run.watch.is_lost(loss.get<double>())) validation_lost(run, loss.get<double>());
}

/// False when a signal came.
bool generate(Run& run, std::vector<task::Prediction>& predictions) {
  if (!run.job.generation) return true;
  report::Phase phase = run.phase("generating", count_prompts(predictions));
  const bool done = generate_texts(*run.job.model, *run.job.generation, predictions, [&](std::int64_t complete) {
    phase.progress(complete);
    return stop_signal() != 0;
  });
  phase.end();
  return done;
}

/// Metrics under "eval_" names, or nothing when a signal came.
std::optional<Json> evaluate(Run& run) {
  const Split& split = *run.job.validation;
  report::Phase phase = run.phase("evaluating", static_cast<std::int64_t>(split.rows.size()));
  const auto progress = [&](std::int64_t done) {
    phase.progress(done);
    return stop_signal() != 0;
  };
  const FrozenMeter frozen(run.job.prefix);
  auto predictions =
      predict_until(*run.job.model, *run.job.task, split, run.options.per_device_eval_batch_size, progress, run.job.prefix);
  if (predictions) run.emit("cost", evaluation_cost(cost_of(*run.job.model, *predictions, frozen)));
  if (predictions && !generate(run, *predictions)) predictions.reset();
  if (predictions && run.job.generation) run.latest_texts = {run.state.step, texts_of(*predictions)};
  Json scores;
  if (predictions) scores = run.job.task->scores(*predictions, split.examples)->metrics();
  const double seconds = phase.end();
  if (!predictions) return std::nullopt;
  Json metrics;
  for (const auto& [name, value] : scores.items()) metrics["eval_" + name] = value;
  metrics["eval_runtime"] = seconds;
  metrics["eval_samples_per_second"] = static_cast<double>(split.rows.size()) / std::max(seconds, 1e-9);
  run.emit("evaluate", metrics);
  Json entry;
  for (const auto& [name, value] : metrics.items()) {
    if (value.is_number()) entry[name] = value;
  }
  entry.update({{"epoch", run.epoch()}, {"step", run.state.step}});
  run.state.log_history.push_back(std::move(entry));
  return metrics;
}

/// The task has the metric (job::prepare saw to it), but these rows may leave it undefined.
double metric_of(const Json& metrics, const std::string& name, const char* key) {
  if (metrics.contains(name) && metrics[name].is_number()) return metrics[name].get<double>();
  std::vector<std::string> names;
  for (const auto& [other, value] : metrics.items()) {
    if (value.is_number()) names.push_back(other);
  }
  throw Error(ErrorKind::usage, {.file = "",
                                 .what = concat("the validation rows leave the metric '", name, "' undefined"),
                                 .where = key,
                                 .hint = concat("defined are ", join(names, ", "))});
}

bool update_best(Run& run, const Json& metrics) {
  const double value = metric_of(metrics, run.best_metric.name, "training.metric_for_best_model");
  if (!run.state.best.update(value, run.state.step)) return false;
  if (run.best) {
    const at::NoGradGuard no_grad;
    run.best->flat().copy_(run.trained.arena().values().flat());
    run.best_texts = run.latest_texts;
  }
  run.emit("best", {{"metric", run.best_metric.name}, {"value", value}});
  return true;
}

void update_early_stopping(Run& run, const Json& metrics) {
  if (!run.job.early_stopping.enabled) return;
  const double value = metric_of(metrics, run.watched_metric.name, "early_stopping.metric");
  if (!run.state.stopping.update(value)) return;
  if (run.state.step >= run.plan.total_steps()) return;  // the training ends here in any case
  run.state.stopped_by = "early_stopping";
  run.emit("early_stop", {{"metric", run.watched_metric.name}, {"waited", run.state.stopping.waited}});
}

/// A disk that is full now may have room at the next checkpoint, and the old one is still whole: training goes on.
void save_or_warn(Run& run) {
  try {
    run.save();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::storage) throw;
    const std::string message = concat("no checkpoint at step ", run.state.step, ", training goes on: ", error.what());
    log::warning(message);
    run.emit("warning", {{"message", message}});
  }
}

Outcome evaluate_and_save(Run& run) {
  bool is_best = false;
  if (run.evaluates() && run.plan.evaluates(run.state.step)) {
    run.state.evaluation_pending = true;
    const std::optional<Json> metrics = evaluate(run);
    if (!metrics) return Outcome::stopped;
    check_validation_loss(run, *metrics);
    run.state.evaluation_pending = false;
    is_best = update_best(run, *metrics);
    update_early_stopping(run, *metrics);
  }
  const bool due = run.options.save_strategy == "best" ? is_best : run.plan.saves(run.state.step);
  if (due) save_or_warn(run);
  return Outcome::done;
}

}  // namespace

Outcome before_first_step(Run& run) {
  if (run.state.step > 0 || !run.options.eval_on_start || !run.job.validation) return Outcome::done;
  return evaluate(run) ? Outcome::done : Outcome::stopped;
}

Outcome after_step(Run& run) {
  log_step(run);
  watch_loss(run);
  return evaluate_and_save(run);
}

Outcome finish_pending_events(Run& run) {
  return run.state.evaluation_pending ? evaluate_and_save(run) : Outcome::done;
}

}  // namespace attune::train
