// See print_number.h.
#include "attune/base/print_number.h"

#include <cstdio>

namespace attune {

std::string print_number(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string print_difference(double value) {
  const std::string text = print_number("%+.3f", value);
  return text == "+0.000" || text == "-0.000" ? "0.000" : text;
}

}  // namespace attune
