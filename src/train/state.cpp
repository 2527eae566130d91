// See state.h.
#include "attune/train/state.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::train {

namespace {

using files::Json;

/// JSON has no infinity: null stands for the value that any number beats.
Json finite_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json trajectory_to_json(const std::vector<TrajectoryPoint>& trajectory) {
  Json points = Json::array();
  for (const TrajectoryPoint& point : trajectory) {
    Json json = {{"step", point.step}, {"loss", point.loss}, {"grad_norm", point.grad_norm}};
    if (!point.weights_sha256.empty()) {
      json["weights_sha256"] = point.weights_sha256;
      json["tensors_sha256"] = point.tensors_sha256;
    }
    points.push_back(std::move(json));
  }
  return points;
}

TrajectoryPoint point_from_json(const Json& json) {
  return {.step = json.at("step").get<std::int64_t>(),
          .loss = json.at("loss").get<double>(),
          .grad_norm = json.at("grad_norm").get<double>(),
          .weights_sha256 = json.value("weights_sha256", ""),
          .tensors_sha256 = json.value("tensors_sha256", std::vector<std::string>())};
}

void read_state(const Json& json, TrainState& state) {
  const Json& own = json.at("attune");
  state.step = json.at("global_step").get<std::int64_t>();
  state.tokens = json.at("num_input_tokens_seen").get<std::int64_t>();
  state.flops = json.at("total_flos").get<double>();
  state.log_history = json.at("log_history").get<std::vector<Json>>();
  if (!json.at("best_global_step").is_null()) {
    state.best.step = json.at("best_global_step").get<std::int64_t>();
    state.best.value = json.at("best_metric").get<double>();
  }
  state.seconds = own.at("seconds").get<double>();
  state.loss_total = own.at("loss_total").get<double>();
  state.unlogged_loss = own.at("unlogged_loss").get<double>();
  state.unlogged_steps = own.at("unlogged_steps").get<std::int64_t>();
  state.evaluation_pending = own.at("evaluation_pending").get<bool>();
  state.stopped_by = own.at("stopped_by").get<std::string>();
  const Json& stopping = own.at("early_stopping");
  state.stopping.started = stopping.at("started").get<bool>();
  state.stopping.waited = stopping.at("waited").get<std::int64_t>();
  if (!stopping.at("best").is_null()) state.stopping.best = stopping.at("best").get<double>();
  state.trajectory.clear();
  for (const Json& point : own.at("trajectory")) state.trajectory.push_back(point_from_json(point));
}

}  // namespace

Json state_to_json(const TrainState& state, const Plan& plan, const TrainingOptions& options) {
  const bool has_best = state.best.step.has_value();
  return {
      {"best_global_step", has_best ? Json(*state.best.step) : Json(nullptr)},
      {"best_metric", has_best ? Json(state.best.value) : Json(nullptr)},
      {"best_model_checkpoint", has_best ? Json(concat("checkpoints/checkpoint-", *state.best.step)) : Json(nullptr)},
      {"epoch", plan.epoch_after(state.step)},
      {"eval_steps", plan.eval_interval()},
      {"global_step", state.step},
      {"is_hyper_param_search", false},
      {"is_local_process_zero", true},
      {"is_world_process_zero", true},
      {"log_history", state.log_history},
      {"logging_steps", options.logging_steps},
      {"max_steps", plan.total_steps()},
      {"num_input_tokens_seen", state.tokens},
      {"num_train_epochs", options.num_train_epochs},
      {"save_steps", plan.save_interval()},
      {"total_flos", state.flops},
      {"train_batch_size", options.per_device_train_batch_size},
      {"attune",
       {{"seconds", state.seconds},
        {"loss_total", state.loss_total},
        {"unlogged_loss", state.unlogged_loss},
        {"unlogged_steps", state.unlogged_steps},
        {"evaluation_pending", state.evaluation_pending},
        {"stopped_by", state.stopped_by},
        {"early_stopping",
         {{"started", state.stopping.started},
          {"best", finite_or_null(state.stopping.best)},
          {"waited", state.stopping.waited}}},
        {"trajectory", trajectory_to_json(state.trajectory)}}}};
}

void state_from_json(const Json& json, const std::string& file, TrainState& state) {
  try {
    read_state(json, state);
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::resume_refused, {.file = file,
                                            .what = concat("is no training state of attune: ", error.what()),
                                            .where = "",
                                            .hint = "resume from another checkpoint"});
  }
}

}  // namespace attune::train
