// Small string helpers that the standard library of g++ 12 lacks.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// concat("step ", 3) == "step 3". Numbers are written as operator<< writes them.
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower_ascii(std::string_view text);

/// Control characters (and ESC sequences with them) become \n, \t or \xHH, so that a message cannot forge terminal output.
std::string escape_control(std::string_view text);

/// The word as a shell reads it, in quotes where it needs them: "a b" → "'a b'".
std::string in_shell(const std::string& word);

/// The candidate nearest to `name` by edit distance, or "" when none is near enough to be what was meant.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

/// The shortest decimal that reads back as the same double: format_number(0.1) == "0.1".
std::string format_number(double value);

}  // namespace attune
