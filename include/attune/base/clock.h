// Time for logs and results; never an input of a computation.
#pragma once

#include <chrono>
#include <string>

namespace attune {

/// Seconds since construction (monotonic).
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// UTC now as 2026-11-23T13:00:00Z; SOURCE_DATE_EPOCH, where set, replaces now.
std::string utc_timestamp();

/// 75 → "1:15", 3700 → "1:01:40".
std::string format_duration(double seconds);

}  // namespace attune
