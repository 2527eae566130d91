// The curves of a run, read from its events.
#include "run_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attune/report/event_file.h"
#include "attune/report/warnings.h"

namespace attune::report {
namespace {

void add_point(const Event& event, const char* key, Curve& curve) {
  const auto step = event.find("step"), value = event.find(key);
  if (step == event.end() || value == event.end() || !step->is_number() || !value->is_number()) return;
  curve[step->get<double>()] = value->get<double>();
}

void add_evaluation(const Event& event, TrainingHistory& training) {
  for (const auto& [key, value] : event.items()) {
    if (key.starts_with("eval_") && value.is_number()) {
      add_point(event, key.c_str(), training.evaluations[key.substr(5)]);
    }
  }
}

TrainingHistory& training_named(RunHistory& history, const std::string& name) {
  for (auto& training : history.trainings) {
    if (training.name == name) return training;
  }
  history.trainings.push_back(
      {.name = name, .loss = {}, .learning_rate = {}, .grad_norm = {}, .evaluations = {}, .best_step = {}});
  return history.trainings.back();
}

}  // namespace

RunHistory read_history(std::span<const Event> events) {
  RunHistory history;
  std::string name;
  Warnings warnings;
  for (const Event& event : events) {
    warnings.on_event(event);
    name = training_after(event, name);
    const std::string kind = event.value("event", std::string());
    if (kind == "run_begin") {
      history.environment = event.value("environment", files::Json());
      history.began = event.value("time", std::string());
    } else if (kind == "model") {
      history.model = event;
    } else if (kind == "train_begin" && history.groups.is_null()) {
      history.groups = event.value("groups", files::Json());
    } else if (kind == "log") {
      TrainingHistory& training = training_named(history, name);
      add_point(event, "loss", training.loss);
      add_point(event, "learning_rate", training.learning_rate);
      add_point(event, "grad_norm", training.grad_norm);
    } else if (kind == "evaluate") {
      add_evaluation(event, training_named(history, name));
    } else if (kind == "best" && event.contains("step") && event["step"].is_number()) {
      training_named(history, name).best_step = event["step"].get<double>();
    }
  }
  history.warnings = warnings.messages();
  return history;
}

}  // namespace attune::report
