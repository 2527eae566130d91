// Strings as Python sees them, on which the reference scripts of the text metrics rest. Case and classes are those of
// Unicode 15 (utf8proc); newer code points have none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attune::metrics {

/// str.lower(): the full mapping, a Σ at the end of a word included.
std::u32string lower(std::u32string_view text);

/// str.isspace() of one character, which is also what str.split() splits at.
bool is_white_space(char32_t c);

/// str.split(): the runs of other characters.
std::vector<std::u32string_view> split_white_space(std::u32string_view text);

/// string.punctuation.
bool is_ascii_punctuation(char32_t c);

/// Letters (L), numbers (N), punctuation (P) and symbols (S) by their general category.
bool is_letter(char32_t c);
bool is_number(char32_t c);
bool is_punctuation(char32_t c);
bool is_symbol(char32_t c);

}  // namespace attune::metrics
