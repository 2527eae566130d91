// See observers.h.
#include "app/observers.h"

#include <nlohmann/json.hpp>

#include "attune/base/log.h"
#include "attune/report/progress.h"

namespace attune::app {

void attach_progress(report::EventBus& events, const OutputOptions& options) {
  log::set_level(options.quiet ? log::Level::warning : log::Level::info);
  const auto progress = report::make_progress(options.quiet ? "none" : options.progress);
  events.add(progress);
  if (options.quiet || options.progress != "json") return;
  log::redirect([progress](log::Level level, std::string_view message) {
    progress->on_event(
        {{"event", "message"}, {"level", level >= log::Level::warning ? "warning" : "info"}, {"message", message}});
  });
}

}  // namespace attune::app
