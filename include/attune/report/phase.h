// The pieces of a run that take time — reading, tokenising, loading, training, evaluating, saving — told as events, and
// summed up: where did the time go, and the energy?
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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
  /// `total`: how many of `thing` there are, in the singular; 0 when nobody counts.
  Phase(Emit emit, std::string name, std::int64_t total = 0, std::string thing = "row");
  /// `events` must outlive the phase.
  Phase(const EventBus& events, std::string name, std::int64_t total = 0, std::string thing = "row");

  /// How many of `total` are done, for displays.
  void progress(std::int64_t done) const;
  /// Returns the seconds that it took.
  double end();

 private:
  Emit emit_;
  std::string name_;
  std::int64_t total_;
  std::string thing_;
  Stopwatch clock_;
};

/// Seconds and joules of each phase, without those of the phases inside it: an evaluation does not count as training. Of the
/// seconds of a phase beside others (`lanes`) its part is counted, so that the sums are never more than what passed; their joules
/// go to that whose events come at once.
class PhaseTotals : public Observer {
 public:
  /// `joules` says how much energy was used up to now; it is asked at least every few seconds while there are events.
  using Joules = std::function<std::optional<double>()>;
  explicit PhaseTotals(Joules joules = {}) : joules_(std::move(joules)) {}

  void on_event(const Event& event) override;
  /// {"reading": 0.1, …} in order of their first end.
  Event seconds() const;
  /// The same of energy; null where somebody could not say.
  Event joules() const;

 private:
  struct Spent {
    double seconds = 0;
    std::optional<double> joules = 0.0;
    void add(const Spent& other);
  };
  struct Open {
    std::string name;
    std::optional<double> began_with;  ///< joules
    Spent inner = {};                  ///< in the phases inside it
  };
  std::optional<double> joules_now();

  Joules joules_;
  Stopwatch clock_;
  double asked_at_ = 0;
  std::vector<Open> open_;
  std::vector<std::pair<std::string, Spent>> totals_;
};

}  // namespace attune::report
