// Opening the base of a run with the head, dropout and adapter that its configuration asks for (open_base and give_back_base of
// prepare.h lie here, too).
#pragma once

#include "attune/job/prepare.h"
#include "attune/report/events.h"

namespace attune::job {

/// The base starts from random weights (model.init), not from those of its folder.
bool starts_random(const RunOptions& options);

/// What the model is loaded for: the run's task, or nothing where the head is none of the model's parts.
models::Task loaded_task(const Prepared& prepared);

/// Opens the base for the first seed, which the first fit takes over, as a phase; says in `prepared` what of it trains and
/// which stages are kept.
void load_first_base(Prepared& prepared, const report::EventBus& events);

}  // namespace attune::job
