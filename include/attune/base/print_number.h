// One number through printf.
#pragma once

#include <cstdint>
#include <string>

namespace attune {

/// print_number("%.1f s", 2.26) == "2.3 s".
std::string print_number(const char* format, double value);

/// A difference with its sign: "+0.057", "-0.012"; what rounds to nothing has none: "0.000".
std::string print_difference(double value);

/// A count as terminals show it: grouped(1234567) == "1,234,567".
std::string grouped(std::int64_t count);

}  // namespace attune
