// What a verb attaches to the event bus for the person at the terminal.
#pragma once

#include "attune/app/verbs.h"
#include "attune/report/events.h"

namespace attune::app {

/// Sets the log level and adds the progress observer that --progress, --quiet and the terminal ask for.
void attach_progress(report::EventBus& events, const OutputOptions& options);

}  // namespace attune::app
