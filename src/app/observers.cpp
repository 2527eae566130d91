// See observers.h.
#include "app/observers.h"

#include "attune/base/log.h"
#include "attune/report/progress.h"

namespace attune::app {

void attach_progress(report::EventBus& events, const OutputOptions& options) {
  log::set_level(options.quiet ? log::Level::warning : log::Level::info);
  events.add(report::make_progress(options.quiet ? "none" : options.progress));
}

}  // namespace attune::app
