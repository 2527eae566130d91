// What happens after a step, in one order: log → evaluate → best → early stop → checkpoint.
#pragma once

#include "run.h"

namespace attune::train {

/// done, or stopped by a signal before all events were done.
enum class Outcome { done, stopped };

/// Before the first step: `eval_on_start`.
Outcome before_first_step(Run& run);
Outcome after_step(Run& run);
/// Goes on with the events that a signal cut off before the evaluation of the resumed step.
Outcome finish_pending_events(Run& run);

}  // namespace attune::train
