// The curves of a run, read from its events.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/report/events.h"

namespace attune::report {

using Curve = std::map<double, double>;  ///< step → value; an event that came again replaces the first

/// One training: a seed, a fold or the refit.
struct TrainingHistory {
  std::string name;  ///< "" when the run has but one
  Curve loss;
  Curve learning_rate;
  Curve grad_norm;
  std::map<std::string, Curve> evaluations;  ///< by metric, without "eval_"
  std::optional<double> best_step;
};

struct RunHistory {
  std::vector<TrainingHistory> trainings;  ///< in order of their beginning; those without any point are left out
  files::Json environment;                 ///< of run_begin; null when unknown
  files::Json model;                       ///< of the model event; null when unknown
  files::Json groups;                      ///< of the first train_begin: rates and decays; null when unknown
  std::string began;                       ///< time of run_begin
  std::vector<std::string> warnings;       ///< what training was warned of, each once
};

RunHistory read_history(std::span<const Event> events);

}  // namespace attune::report
