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
  const bool has_min = std::isfinite(min), has_max = std::isfinite(max);
  if (has_min && has_max && min == max) return format_number(min);
  if (has_min && has_max) {
    return concat("in ", min_excluded ? "(" : "[", format_number(min), ", ", format_number(max),
                  max_excluded ? ")" : "]", whole_from_one ? ", whole from 1 on" : "");
  }
  if (has_max) return concat(max_excluded ? "< " : "<= ", format_number(max));
  if (!has_min) return "";
  return concat(min_excluded ? "> " : ">= ", format_number(min));
}

}  // namespace attune
