// The pieces of a run that take time — reading, tokenising, loading, training, evaluating, saving — told as events, and
// summed up: where did the time go?
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/clock.h"
#include "attune/report/events.h"

namespace attune::report {

/// Emits phase_begin when it is made and phase_end, with its seconds, at end(). A phase that an error leaves never
/// ends.
class Phase {
 public:
  using Emit = std::function<void(const Event&)>;
  /// `total`: how many rows (or the like) there are; 0 when nobody counts.
  Phase(Emit emit, std::string name, std::int64_t total = 0);
  /// `events` must outlive the phase.
  Phase(const EventBus& events, std::string name, std::int64_t total = 0);

  /// How many of `total` are done, for displays.
  void progress(std::int64_t done) const;
  /// Returns the seconds that it took.
  double end();

 private:
  Emit emit_;
  std::string name_;
  std::int64_t total_;
  Stopwatch clock_;
};

/// Seconds of each phase, without those of the phases inside it: an evaluation does not count as training.
class PhaseTotals : public Observer {
 public:
  void on_event(const Event& event) override;
  /// {"reading": 0.1, …} in order of their first end.
  Event seconds() const;

 private:
  struct Open {
    std::string name;
    double inner = 0;  ///< seconds of the phases inside it
  };
  std::vector<Open> open_;
  std::vector<std::pair<std::string, double>> totals_;
};

}  // namespace attune::report
