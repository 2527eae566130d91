// Parity cases of the training parts: schedules, order of rows, AdamW.
#include <nlohmann/json.hpp>

#include "attune/base/random.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/optim/optimizer.h"
#include "attune/optim/schedule.h"
#include "attune/tensor/weights.h"
#include "attune/train/plan.h"
#include "probe/probe.h"

namespace attune::probe {

namespace {

using files::Json;

/// "name|warmup=3|total=20" → its parts.
optim::ScheduleOptions schedule_of(const std::string& key, const Json& kwargs) {
  const std::vector<std::string> parts = split(key, '|');
  optim::ScheduleOptions options{.type = parts.at(0),
                                 .learning_rate = 1e-3,
                                 .warmup_steps = std::stoll(split(parts.at(1), '=').at(1)),
                                 .total_steps = std::stoll(split(parts.at(2), '=').at(1)),
                                 .kwargs = {}};
  if (kwargs.is_object()) options.kwargs = kwargs.get<std::map<std::string, double>>();
  return options;
}

}  // namespace

void run_schedules_case(const std::string& file, const std::string& out) {
  const Json cases = files::read_json(file);
  Json answers;
  for (const auto& [key, expected] : cases.items()) {
    const optim::ScheduleOptions options = schedule_of(key, expected.at("kwargs"));
    const optim::Schedule schedule(options);
    Json rates = Json::array();
    for (std::int64_t step = 0; step < options.total_steps + 3; ++step) {
      rates.push_back(options.learning_rate * schedule.factor(step));
    }
    answers[key] = {{"kwargs", expected.at("kwargs")}, {"lrs", rates}};
  }
  files::write_json(out + "/out.json", answers);
}

void run_shuffle_order_case(const std::string& file, const std::string& out) {
  const Json expected = files::read_json(file);
  const auto rows = expected.at("n").get<std::size_t>();
  Json runs;
  for (const auto& [key, run] : expected.at("runs").items()) {
    const std::vector<std::string> parts = split(key, '|');  // "seed=42|data_seed=None"
    const std::string data_seed = split(parts.at(1), '=').at(1);
    train::TrainingOptions options;
    if (data_seed != "None") options.data_seed = std::stoull(data_seed);
    const train::Plan plan(options, std::stoull(split(parts.at(0), '=').at(1)), train::Plan::Numbers(rows, 1));
    Json epochs = Json::array();
    for (std::size_t epoch = 0; epoch < run.at("epochs").size(); ++epoch) epochs.push_back(plan.order(epoch));
    runs[key] = {{"epochs", epochs}};
  }
  files::write_json(out + "/out.json", {{"n", rows}, {"runs", runs}});
}

void run_adamw_case(const std::string& file, const std::string& out) {
  const auto given = tensor::load_tensors(file);
  at::Tensor w = given.at("w0").clone(), b = given.at("b0").clone();
  std::map<std::string, at::Tensor> answers = {{"w0", w.clone()}, {"b0", b.clone()}};
  const tensor::ParameterArena arena({w, b});
  // The case's settings, as make_oracle.py states them.
  const auto adam = optim::make_optimizer({.beta1 = 0.9, .beta2 = 0.95}, arena, {{1e-2, 0.1, {0}}, {1e-2, 0.0, {1}}});
  for (int number = 1; number <= 3; ++number) {
    w.mutable_grad().copy_(given.at(concat("gw", number - 1)));
    b.mutable_grad().copy_(given.at(concat("gb", number - 1)));
    adam->step({.number = number});
    answers[concat("w", number)] = w.detach().clone();
    answers[concat("b", number)] = b.detach().clone();
  }
  tensor::save_tensors(out + "/out.safetensors", answers);
}

}  // namespace attune::probe
