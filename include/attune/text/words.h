// Texts compared as people compare them: without regard to case, punctuation and blanks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace attune::text {

/// Python's str.lower and str.upper of valid UTF-8.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

/// The words in lower case with one blank between them: what is no letter, mark or digit of Unicode parts words.
///   plain_words(" Card_arrival, please!\n") == "card arrival please"
std::string plain_words(std::string_view text);

/// Where `words` stand in `text` as whole words, both from plain_words(): the byte of the first occurrence from `from`
/// on, or npos. No words are found nowhere.
std::size_t find_words(std::string_view text, std::string_view words, std::size_t from = 0);

}  // namespace attune::text
