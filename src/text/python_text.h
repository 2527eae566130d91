// What Python's str does, on UTF-8. Positions and lengths that go in and out are code points unless said otherwise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune::text::jinja {

std::size_t code_points(std::string_view text);
/// The byte where code point `index` begins; text.size() for those behind the end.
std::size_t byte_of(std::string_view text, std::size_t index);
/// The code points [begin, end), which may lie behind the end.
std::string_view part_of(std::string_view text, std::size_t begin, std::size_t end);
std::string reversed(std::string_view text);

/// str.isspace of one character: Unicode's white space and U+001C to U+001F.
bool is_space(char32_t c);
/// The number of white-space bytes that `text` begins with.
std::size_t leading_space(std::string_view text);

enum class Ends { left, right, both };
/// strip, lstrip, rstrip: without `characters` white space.
std::string_view strip(std::string_view text, std::optional<std::string_view> characters, Ends ends);

/// Byte of the first (last) occurrence, in time linear in the sizes; npos when there is none.
std::size_t find_bytes(std::string_view text, std::string_view wanted, std::size_t from = 0);
std::size_t find_last_byte(std::string_view text, std::string_view wanted);
std::size_t count_of(std::string_view text, std::string_view wanted);
/// At most `count` replacements; negative = all.
std::string replaced(std::string_view text, std::string_view old, std::string_view replacement, long long count);

/// split and rsplit with a separator (not empty) or at white space; at most `limit` cuts, negative = all.
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, long long limit);
std::vector<std::string_view> split_at_last(std::string_view text, std::string_view separator, long long limit);
std::vector<std::string_view> split_words(std::string_view text, long long limit);
std::vector<std::string_view> split_words_at_last(std::string_view text, long long limit);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);  ///< with Σ as ς at the end of a word
std::string swap_case(std::string_view text);
std::string case_fold(std::string_view text);
std::string capitalized(std::string_view text);
std::string titled(std::string_view text);

/// isalpha, isdigit, …: true when there is a character and all of them are.
enum class TextClass {
  alnum,
  alpha,
  ascii,
  decimal,
  digit,
  identifier,
  lower,
  numeric,
  printable,
  space,
  title,
  upper
};
bool is_class(std::string_view text, TextClass wanted);
/// \w of Python's regular expressions.
bool is_word(char32_t c);
/// Whether repr() writes the character as it is.
bool is_printable(char32_t c);

/// int(text, base) and float(text): nothing where Python raises ValueError. Integers beyond 127 bits are a Fault.
std::optional<__int128> parse_integer(std::string_view text, int base);
std::optional<double> parse_real(std::string_view text);
std::string to_decimal(__int128 number);

}  // namespace attune::text::jinja
