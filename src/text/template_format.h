// Python's two ways to fill in a text: "%s-%d" % values (also |format), and str.format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "template_arguments.h"
#include "template_heap.h"

namespace attune::text::jinja {

/// format % value: a tuple gives the values one by one, a dict those of %(name)s, anything else is the only one.
Value percent_format(Heap& heap, const Text& format, const Value& value);

/// format.format(*positional, **named)
Value brace_format(Heap& heap, const Text& format, const Arguments& arguments);

/// What both write numbers with.
struct NumberStyle {
  char type = 'd';         ///< one of d b o x X e E f F g G %, or 0 for repr
  char sign = '-';         ///< '-' only negative, '+' always, ' ' a blank for positive
  bool alternate = false;  ///< '#'
  std::optional<int> precision = std::nullopt;
  char separator = 0;  ///< between groups of digits
};
struct FormattedNumber {
  std::string prefix;  ///< sign and 0x
  std::string digits;
};
FormattedNumber format_integer(Integer number, const NumberStyle& style);
FormattedNumber format_real(double number, const NumberStyle& style);

/// The one character that %c and {:c} write.
std::string character_of(const Value& value);
/// A width or precision at `position`, which moves behind it. Fault for more than 1,000 (nothing needs that).
std::optional<int> read_number(std::string_view format, std::size_t& position);

}  // namespace attune::text::jinja
