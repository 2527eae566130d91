// One number through printf.
#pragma once

#include <string>

namespace attune {

/// print_number("%.1f s", 2.26) == "2.3 s".
std::string print_number(const char* format, double value);

}  // namespace attune
