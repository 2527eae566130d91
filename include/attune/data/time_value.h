// Values of a time column, made comparable.
#pragma once

#include <string_view>

namespace attune::data {

struct TimeValue {
  bool is_date = false;  ///< an ISO 8601 date; else a plain number (epoch, year, day count, …)
  double value = 0;      ///< of a date the seconds since 1970-01-01 UTC
};

/// Reads a finite number, or an ISO 8601 date with an optional time of day: 2026-11-23, 2026-11-23 14:05,
/// 2026-11-23T14:05:09.5Z, …+02:00. A time without zone counts as UTC. False for anything else (days that do not exist
/// included).
bool parse_time(std::string_view text, TimeValue& time);

}  // namespace attune::data
