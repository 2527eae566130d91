// All that a run carries from step to step besides weights and moments. What can be computed from the step (epoch,
// position in it, learning rate, random streams) is not here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/train/early_stopping.h"
#include "attune/train/plan.h"
#include "attune/train/trainer.h"

namespace attune::train {

struct TrainState {
  TrainState(const EarlyStoppingOptions& options, bool best_greater, bool stopping_greater)
      : best(best_greater), stopping(options, stopping_greater) {}

  std::int64_t step = 0;  ///< optimiser steps done
  std::int64_t tokens = 0;
  double flops = 0;
  double seconds = 0;     ///< of all runs so far
  double loss_total = 0;  ///< Σ of the steps' losses
  double unlogged_loss = 0;
  std::int64_t unlogged_steps = 0;
  bool evaluation_pending = false;  ///< a signal came before the evaluation of this step was done
  std::string stopped_by;           ///< "early_stopping" once it decided so
  Best best;
  EarlyStopping stopping;
  std::vector<files::Json> log_history;
  std::vector<TrajectoryPoint> trajectory;
};

/// trainer_state.json under Transformers' names; what it has no name for stands under "attune". Doubles survive
/// exactly.
files::Json state_to_json(const TrainState& state, const Plan& plan, const TrainingOptions& options);
/// Fills `state` from it. Throws Error{resume_refused} naming `file` when something is missing or of another type.
void state_from_json(const files::Json& json, const std::string& file, TrainState& state);

}  // namespace attune::train
