// The energy that a machine uses, from counters of its own: those of processor packages (RAPL, as the kernel's powercap shows
// them for Intel and AMD alike) and whatever else somebody hands in. What cannot be read is not known; it is never 0.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace attune {

/// A counter that only grows, until it begins at 0 again.
struct EnergyCounter {
  std::string name;                             ///< "package-0"
  std::function<std::optional<double>()> read;  ///< joules since some moment; nothing where it does not answer
  double range = 0;                             ///< joules at which it begins at 0 again; 0 = never
};

struct EnergyCounters {
  std::vector<EnergyCounter> counters;
  std::string missing;  ///< why some or all that one would want cannot be read; "" where nothing is missing
};

/// One a processor package (what is inside or around packages would count twice). All or none. `folder`: where powercap is.
EnergyCounters processor_energy(const std::string& folder = "/sys/class/powercap");

/// Both in one.
EnergyCounters operator+(EnergyCounters a, EnergyCounters b);

/// Sums counters up from the moment that it is made. Must be asked at least once between two wraps (the counters of a busy
/// server begin anew every few minutes).
class EnergyMeter {
 public:
  explicit EnergyMeter(std::vector<EnergyCounter> counters);

  /// Joules so far; nothing where there are no counters, and from the moment on at which one fails to answer.
  std::optional<double> joules();

 private:
  struct Counted {
    EnergyCounter counter;
    double last = 0;
  };
  std::vector<Counted> counted_;
  bool known_;
  double sum_ = 0;
};

}  // namespace attune
