// See run.h.
#include "run.h"

#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/task/pack.h"

namespace attune::train {

namespace {

using files::Json;

[[noreturn]] void refuse_settings(const std::string& what, const std::string& key, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = key, .hint = hint});
}


/// The token ids of the training rows and of dead segments, ascending.
tensor::TableRows ids_of(const files::ListView<task::Encoded>& rows) {
  std::vector<bool> occurs(task::kDeadId + 1, true);
  rows.for_each([&](const task::Encoded& row) {
    for (const std::int32_t id : row.ids) {
      const auto index = static_cast<std::size_t>(id);
      if (index >= occurs.size()) occurs.resize(index + 1, false);
      occurs[index] = true;
    }
  });
  tensor::TableRows ids;
  for (std::size_t id = 0; id < occurs.size(); ++id) {
    if (occurs[id]) ids.push_back(static_cast<std::int64_t>(id));
  }
  return ids;
}

Trainables trainables_of(const TrainJob& job) {
  if (!job.task->keeps_ids()) return {*job.model, job.trainable};
  const tensor::TableRows ids = ids_of(job.train.rows);
  return {*job.model, job.trainable, &ids};
}

optim::ScheduleOptions schedule_options(const TrainingOptions& options, std::int64_t total) {
  return {.type = options.lr_scheduler_type,
          .learning_rate = options.learning_rate,
          .warmup_steps = optim::warmup_steps(options.warmup_steps, total),
          .total_steps = total,
          .kwargs = options.lr_scheduler_kwargs};
}

optim::OptimizerOptions optimizer_options(const TrainingOptions& options) {
  return {.name = options.optim,
          .beta1 = options.adam_beta1,
          .beta2 = options.adam_beta2,
          .epsilon = options.adam_epsilon,
          .momentum = options.sgd_momentum};
}

void check(const Run& run) {
  const bool evaluates = run.evaluates();
  if (run.job.early_stopping.enabled && !evaluates) {
    refuse_settings("early stopping needs validation rows and evaluations", "early_stopping",
           "give data.validation and an eval_strategy");
  }
  if (run.options.save_strategy == "best" && !evaluates) {
    refuse_settings("save_strategy 'best' needs validation rows and evaluations", "training.save_strategy",
           "give data.validation and an eval_strategy");
  }
}

TensorMap named_slices(const tensor::Arena& arena, const std::vector<std::string>& names, const std::string& prefix) {
  TensorMap tensors;
  for (std::size_t i = 0; i < names.size(); ++i) tensors[prefix + names[i]] = arena.slices()[i];
  return tensors;
}

/// Copies the tensors named prefix + name into the arena and takes them out of `tensors`.
void take_slices(TensorMap& tensors, const std::vector<std::string>& names, const std::string& prefix,
                 const tensor::Arena& arena, const std::string& folder) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = tensors.find(prefix + names[i]);
    if (found == tensors.end() || found->second.sizes() != arena.slices()[i].sizes()) {
      throw Error(ErrorKind::resume_refused, {.file = folder,
                                              .what = "the checkpoint trains other parameters than this job",
                                              .where = prefix + names[i],
                                              .hint = "resume with the tuning it was made with, or start anew"});
    }
    arena.slices()[i].copy_(found->second);
    tensors.erase(found);
  }
}

void expect_empty(const TensorMap& tensors, const std::string& folder) {
  if (tensors.empty()) return;
  throw Error(ErrorKind::resume_refused, {.file = folder,
                                          .what = "the checkpoint holds a parameter that this job does not train",
                                          .where = tensors.begin()->first,
                                          .hint = "resume with the tuning it was made with, or start anew"});
}

}  // namespace

Run::Run(const TrainJob& the_job)
    : job(the_job),
      options(the_job.options),
      plan(options, job.seed, task::lengths_of(job.train.rows), job.passes, job.arrange),
      schedule(schedule_options(options, plan.total_steps())),
      best_metric(best_model_metric(options, job.early_stopping)),
      watched_metric(stopping_metric(options, job.early_stopping)),
      state(job.early_stopping, best_metric.greater, watched_metric.greater),
      trained(trainables_of(job)),
      hashes(*job.model, trained, job.prefix == nullptr ? std::vector<std::string>() : job.prefix->hashes()),
      flops(*job.model, job.trainable),
      watch(job.task->blind_loss(job.train.rows), plan.mean_rows_per_step()) {
  check(*this);
  optimizer = optim::make_optimizer(optimizer_options(options), trained.arena(), trained.groups(options));
  if (keeps_best()) best.emplace(trained.arena().zeros_like());
  if (!job.folder.empty()) {
    checkpoints.emplace(job.folder, job.job_fingerprint);
    checkpoints->remove_litter();
  }
  if (job.resume_from.empty()) return;
  if (!checkpoints) refuse_settings("there is no run folder to resume in", "resume_from_checkpoint", "set output_dir");
  const std::string folder = job.resume_from == "auto" ? checkpoints->newest_whole() : job.resume_from;
  if (!folder.empty()) {
    resume(folder);
  } else if (!checkpoints->steps().empty()) {
    log::warning(concat(job.folder, ": no checkpoint is whole, training starts at step 0"));
  }
}

void Run::resume(const std::string& folder) {
  CheckpointData data = checkpoints->load(folder);
  state_from_json(data.state, folder + "/trainer_state.json", state);
  take_slices(data.weights, trained.names(), "", trained.arena().values(), folder);
  trained.arena().round_values();
  expect_empty(data.weights, folder);
  for (const auto& [name, arena] : optimizer->state()) {
    take_slices(data.moments, trained.names(), name + ".", *arena, folder);
  }
  expect_empty(data.moments, folder);
  if (best && state.best.step) {
    if (*state.best.step == state.step) data.best = named_slices(trained.arena().values(), trained.names(), "");
    take_slices(data.best, trained.names(), "", *best, folder);
  }
  for (const TrajectoryPoint& point : state.trajectory) watch.rises(point.loss);  // what was said of them, was said then
  seconds_before_ = state.seconds;
  saved_step_ = state.evaluation_pending ? -1 : state.step;
  log::info(concat("resumed from ", folder, " at step ", state.step, " of ", plan.total_steps()));
}

void Run::emit(const std::string& name, const Json& fields) const {
  if (job.events == nullptr) return;
  Json event = {{"event", name}, {"step", state.step}, {"epoch", epoch()}};
  event.update(fields);
  job.events->emit(event);
}

report::Phase Run::phase(const std::string& name, std::int64_t total) const {
  return {[this](const Json& event) { emit(event["event"].get<std::string>(), event); }, name, total};
}

void Run::save() {
  if (!checkpoints || saved_step_ == state.step) return;
  report::Phase saving = phase("saving");
  state.seconds = seconds();
  hashes.finish(state.trajectory);
  CheckpointData data;
  data.weights = named_slices(trained.arena().values(), trained.names(), "");
  for (const auto& [name, arena] : optimizer->state())
    data.moments.merge(named_slices(*arena, trained.names(), name + "."));
  const bool best_is_elsewhere = best && state.best.step && *state.best.step != state.step;
  if (best_is_elsewhere) data.best = named_slices(*best, trained.names(), "");
  data.state = state_to_json(state, plan, options);
  checkpoints->save(state.step, data);
  if (!state.evaluation_pending) saved_step_ = state.step;
  checkpoints->rotate(options.save_total_limit, state.step, state.best.step);
  emit("save", {{"path", checkpoints->folder(state.step)}, {"seconds", saving.end()}});
}

}  // namespace attune::train
