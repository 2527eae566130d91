// What a person sees while a run goes on, on stderr: a bar that rewrites itself on a terminal, plain lines in a batch
// log, JSON lines for programs. Results never pass here; they go to stdout.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "attune/report/events.h"

namespace attune::report {

enum class ProgressMode { none, plain, bar, json };

/// Where and how progress is shown; tests give their own stream and clock.
struct ProgressSink {
  std::ostream* out;
  std::function<double()> seconds;     ///< monotonic
  std::function<std::size_t()> width;  ///< columns of the terminal
  bool unicode = true;                 ///< whether the bar may use block characters
};

/// "auto": a bar when stderr is a terminal that can move its cursor (TERM is not "dumb") and CI is not set, else plain
/// lines. Colours are never used, so NO_COLOR has nothing to turn off. Throws Error{usage} for an unknown name.
ProgressMode choose_progress_mode(const std::string& name);

std::shared_ptr<Observer> make_progress(ProgressMode mode, ProgressSink sink);

/// On stderr; log messages and the bar keep out of each other's way.
std::shared_ptr<Observer> make_progress(const std::string& mode);

}  // namespace attune::report
