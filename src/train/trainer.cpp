// The loop (see trainer.h). What happens between steps stands in step_events.cpp.
#include "attune/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/optim/clip.h"
#include "attune/task/pack.h"
#include "attune/train/stage_backward.h"
#include "diagnose.h"
#include "run.h"
#include "step_events.h"

namespace attune::train {

namespace {

using files::Json;

/// Rows at hand, as long as this is.
struct Rows {
  std::vector<std::shared_ptr<const task::Encoded>> held;
  std::vector<const task::Encoded*> all;

  void add(const TrainRows& rows, const std::vector<std::int64_t>& indices) {
    for (const std::int64_t index : indices) {
      held.push_back(rows.rows.get(static_cast<std::size_t>(index)));
      all.push_back(held.back().get());
    }
  }
};

struct WindowResult {
  double loss = 0;  ///< Σ w·loss / Σ w over all batches of the window
  double grad_norm = 0;
  Cost cost;
};

Rows rows_of(const Run& run, const Window& window) {
  Rows rows;
  for (const auto& batch : window.batches) rows.add(run.job.train, batch);
  return rows;
}

double weight_of(const Run& run, const Rows& rows, const task::BatchKey& key) {
  double weight = 0;
  for (const task::Encoded* row : rows.all) weight += run.job.task->loss_weight(*row, key);
  if (weight > 0) return weight;
  throw Error(ErrorKind::data, {.file = "",
                                .what = concat("no row of step ", run.state.step + 1, " has anything to learn from"),
                                .where = places_of(rows.all, run.job.train.examples),
                                .hint = "check labels, weights and max_length"});
}

/// The rows that this epoch reads next.
Rows rows_ahead(const Run& run) {
  const std::int64_t end = std::min(run.plan.epoch_end(run.state.step), run.plan.total_steps());
  const std::int64_t enough = tokens_ahead();
  Rows rows;
  std::int64_t tokens = 0;
  for (std::int64_t step = run.state.step; step < end && tokens < enough; ++step) {
    const std::size_t before = rows.all.size();
    for (const auto& batch : run.plan.window(step).batches) rows.add(run.job.train, batch);
    for (std::size_t i = before; i < rows.all.size(); ++i) tokens += static_cast<std::int64_t>(rows.all[i]->ids.size());
  }
  return rows;
}

/// Forward and backward of one batch, whose gradients are divided by the Σ w of the whole window. Returns its Σ w·loss,
/// which is not looked at yet: a GPU is still computing it.
at::Tensor run_batch(Run& run, const task::Batch& packed, double window_weight) {
  const models::Model& model = *run.job.model;
  FrozenPrefix* prefix = run.job.prefix;
  models::State below;
  Rows ahead;
  const auto look_ahead = [&] {
    ahead = rows_ahead(run);
    return ahead.all;
  };
  if (prefix != nullptr) below = prefix->state(packed, look_ahead);
  const task::Batch batch = task::to_device(packed, model.execution().device);
  models::Context context = model.prepare(batch.input, /*training=*/true);
  for (std::size_t stage = 0; stage < context.dropout_on.size(); ++stage) {
    context.dropout_on[stage] = run.options.frozen_dropout || run.trained.trained_stages()[stage];
  }
  const Recompute recompute = run.options.gradient_checkpointing ? Recompute::yes : Recompute::no;
  StagedPass pass(model, context, run.trained.lowest_stage(), recompute);
  const models::Output output = prefix == nullptr ? pass.forward() : pass.forward(prefix->stages(), std::move(below));
  const nn::LossSum loss = run.job.task->loss(output, batch);
  pass.backward(loss.sum, 1.0 / window_weight);
  return loss.sum.detach();
}

/// What run_batch computes, without the frozen stages.
Cost batch_cost(const Run& run, const task::Batch& batch, int first_stage) {
  const models::PassSize size = size_of(batch);
  const int head = run.job.model->depth() + 1;
  Cost cost;
  cost.tokens = batch.tokens;
  cost.supervised = supervised(batch);
  cost.forward = run.flops.forward(size, first_stage, head + 1);
  cost.backward = run.flops.backward(size);
  if (run.options.gradient_checkpointing) cost.recomputed = run.flops.forward(size, run.trained.lowest_stage(), head);
  return cost;
}

/// Gradients of one window, in the arena. Nothing when a signal came: the step then counts as never begun.
std::optional<WindowResult> accumulate(Run& run) {
  const Window window = run.plan.window(run.state.step);
  const task::BatchKey key{.seed = run.job.seed, .step = run.state.step, .epoch = window.epoch, .training = true};
  const Rows rows = rows_of(run, window);
  const double weight = weight_of(run, rows, key);
  run.trained.arena().zero_gradients();
  WindowResult result;
  const FrozenMeter frozen(run.job.prefix);
  std::vector<at::Tensor> losses;
  std::vector<std::span<const task::Encoded* const>> batches;
  for (std::size_t begin = 0; const auto& indices : window.batches) {
    batches.push_back(std::span(rows.all).subspan(std::exchange(begin, begin + indices.size()), indices.size()));
    const task::Batch batch = run.job.task->collate(batches.back(), key);
    losses.push_back(run_batch(run, batch, weight));
    result.cost.add(batch_cost(run, batch, frozen.stages()));
    if (stop_signal() != 0) return std::nullopt;
  }
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double loss = losses[i].item<double>();
    if (!std::isfinite(loss)) loss_diverged(run, loss, batches[i]);
    result.loss += loss / weight;
  }
  if (run.watch.is_lost(result.loss)) loss_lost(run, result.loss, rows.all);
  result.grad_norm = optim::gradient_norm(run.trained.arena());
  if (!std::isfinite(result.grad_norm)) gradient_diverged(run, result.grad_norm, rows.all);
  result.cost.frozen = frozen.flops();
  return result;
}

void apply(Run& run, const WindowResult& result) {
  TrainState& state = run.state;
  run.optimizer->step({.number = state.step + 1,
                       .rate_factor = run.schedule.factor(state.step),
                       .gradient_factor = optim::clip_factor(result.grad_norm, run.options.max_grad_norm)});
  ++state.step;
  state.tokens += result.cost.tokens;
  state.flops += result.cost.forward + result.cost.backward + result.cost.frozen;
  state.loss_total += result.loss;
  state.unlogged_loss += result.loss;
  ++state.unlogged_steps;
  TrajectoryPoint point{.step = state.step,
                        .loss = result.loss,
                        .grad_norm = result.grad_norm,
                        .weights_sha256 = "",
                        .tensors_sha256 = {}};
  const bool is_power_of_two = (state.step & (state.step - 1)) == 0;
  state.trajectory.push_back(std::move(point));
  if (is_power_of_two || state.step == run.plan.total_steps()) run.hashes.record(state.trajectory);
}

Outcome one_step(Run& run) {
  const Stopwatch clock;
  const std::optional<WindowResult> result = accumulate(run);
  if (!result) return Outcome::stopped;
  apply(run, *result);
  run.cost.add(result->cost);
  run.cost.seconds += clock.seconds();
  run.emit("step", Json::object());
  return after_step(run);
}

bool at_end(const Run& run) {
  const std::int64_t last = std::min(run.plan.total_steps(), run.job.stop_after.value_or(run.plan.total_steps()));
  return run.state.step >= last || !run.state.stopped_by.empty();
}

Outcome run_to_end(Run& run) {
  Outcome outcome = finish_pending_events(run);
  if (outcome == Outcome::done) outcome = before_first_step(run);
  while (outcome == Outcome::done && !at_end(run)) {
    outcome = stop_signal() != 0 ? Outcome::stopped : one_step(run);
  }
  return outcome;
}

/// Returns the step whose weights the model then holds.
std::int64_t reload_best(Run& run) {
  const bool cut_short = run.job.stop_after && run.state.step < run.plan.total_steps() && run.state.stopped_by.empty();
  if (!run.best || !run.state.best.step || cut_short) return run.state.step;
  const at::NoGradGuard no_grad;
  run.trained.arena().values().flat().copy_(run.best->flat());
  run.trained.arena().round_values();
  return *run.state.best.step;
}

std::vector<RowText> texts_at(Run& run, std::int64_t step) {
  for (Run::StepTexts* known : {&run.latest_texts, &run.best_texts}) {
    if (known->step == step) return std::move(known->texts);
  }
  return {};
}

TrainResult result_of(Run& run, const std::string& stopped_by) {
  TrainState& state = run.state;
  run.hashes.finish(state.trajectory);
  TrainResult result;
  result.steps = state.step;
  result.epochs = run.epoch();
  result.train_loss = state.step > 0 ? state.loss_total / static_cast<double>(state.step) : 0.0;
  result.seconds = state.seconds = run.seconds();
  result.tokens = state.tokens;
  result.flops = state.flops;
  result.stopped_by = stopped_by;
  result.best_step = state.best.step;
  if (state.best.step) {
    result.best_epoch = run.plan.epoch_after(*state.best.step);
    result.best_metric = state.best.value;
  }
  result.trainer_state = state_to_json(state, run.plan, run.options).dump(2);
  result.log_history = std::move(state.log_history);
  result.trajectory = std::move(state.trajectory);
  return result;
}

/// Which rates and decays the parameters have, from the lowest rate to the highest.
Json describe_groups(const Run& run) {
  Json groups = Json::array();
  for (const optim::ParameterGroup& group : run.trained.groups(run.options)) {
    std::int64_t parameters = 0;
    for (const std::size_t slice : group.members) parameters += run.trained.arena().values().slices()[slice].numel();
    groups.push_back({{"learning_rate", group.learning_rate}, {"weight_decay", group.weight_decay}, {"parameters", parameters}});
  }
  return groups;
}

}  // namespace

TrainResult train(const TrainJob& job) {
  Run run(job);
  const auto windows = static_cast<std::int64_t>(job.train.rows.size());
  std::int64_t rows = 0;
  job.train.rows.for_each([&](const task::Encoded& row) { rows += row.window > 0 ? 0 : 1; });
  Json begin = {{"steps", run.plan.total_steps()}, {"rows", rows}, {"metric", run.best_metric.name}, {"groups", describe_groups(run)}};
  if (windows > rows) begin["windows"] = windows;
  run.emit("train_begin", begin);
  report::Phase training = run.phase("training");
  const bool stopped = run_to_end(run) == Outcome::stopped;
  training.end();
  std::vector<RowText> texts;
  if (stopped) {
    run.save();
  } else {
    texts = texts_at(run, reload_best(run));
  }
  const std::string stopped_by = stopped ? "signal" : run.state.stopped_by.empty() ? "end" : run.state.stopped_by;
  TrainResult result = result_of(run, stopped_by);
  result.validation_texts = std::move(texts);
  if (job.prefix != nullptr) run.emit("prefix_cache", job.prefix->describe());
  run.emit("cost", training_cost(run.cost));
  run.emit("train_end",
           {{"stopped_by", result.stopped_by}, {"train_loss", result.train_loss}, {"seconds", result.seconds}});
  return result;
}

}  // namespace attune::train
