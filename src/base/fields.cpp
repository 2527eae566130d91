// See fields.h.
#include "attune/base/fields.h"

#include <cmath>

#include "attune/base/strings.h"

namespace attune {

bool Range::contains(double value) const {
  if (!std::isfinite(value)) return false;
  if (min_excluded ? value <= min : value < min) return false;
  if (max_excluded ? value >= max : value > max) return false;
  return !whole_from_one || value < 1 || value == std::floor(value);
}

std::string Range::words() const {
  if (whole_from_one) return "0 <= x < 1 as a share, or a whole number >= 1";
  const bool has_min = std::isfinite(min), has_max = std::isfinite(max);
  const char* const above = min_excluded ? "> " : ">= ";
  const char* const below = max_excluded ? "< " : "<= ";
  if (has_min && has_max && min == max) return concat("= ", format_number(min));
  if (has_min && has_max) {
    return concat(format_number(min), min_excluded ? " < x " : " <= x ", below, format_number(max));
  }
  if (has_min) return concat(above, format_number(min));
  if (has_max) return concat(below, format_number(max));
  return "";
}

}  // namespace attune
