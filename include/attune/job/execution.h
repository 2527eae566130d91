// Where and in what a run computes: `device` and `training.bf16`, their "auto" decided once at the start.
#pragma once

#include "attune/config/config.h"
#include "attune/job/options.h"
#include "attune/models/model.h"

namespace attune::job {

/// What this build and this machine can do, for the check of a configuration.
config::Machine machine();

/// The options with training.bf16 "auto" replaced by true or false: what the run to be resumed decided, else a
/// measurement (0.2 s). Uses the threads that are set. Logs the decision.
RunOptions with_precision_decided(RunOptions options);

/// Device and precision of options whose precision is decided; `device: auto` is the first GPU where there is one.
models::Execution execution_of(const RunOptions& options);

/// {"device", "precision"}, on a GPU its name as "gpu": part of the manifest, and of what must not change between a checkpoint
/// and its resumption.
files::Json describe(const models::Execution& execution);

}  // namespace attune::job
