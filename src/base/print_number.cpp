// See print_number.h.
#include "attune/base/print_number.h"

#include <cstddef>
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

std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  return digits;
}

}  // namespace attune
