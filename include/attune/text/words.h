// Words of texts: compared as people compare them, and counted as scikit-learn counts them. Tokens of a model are something
// else (text/tokenizer.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

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

/// The words of scikit-learn's vectorisers by default: the runs of two or more word characters of the text in lower case, in order: Python's str.lower and (?u)\b\w\w+\b,
/// word characters being letters, digits, other numbers and _ of all scripts. Marks are none, so that they part words,
/// and scripts without blanks give whole sentences. `text` is valid UTF-8.
std::vector<std::string> lower_case_words(std::string_view text);

}  // namespace attune::text
