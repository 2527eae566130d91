// See print_number.h.
#include "attune/base/print_number.h"

#include <cstdio>

namespace attune {

std::string print_number(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

}  // namespace attune
