// Words as scikit-learn's vectorisers find them by default: what counts words sees a text so. Tokens of a model are
// something else (text/tokenizer.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attune::text {

/// The runs of two or more word characters of the text in lower case, in order: Python's str.lower and (?u)\b\w\w+\b,
/// word characters being letters, digits, other numbers and _ of all scripts. Marks are none, so that they part words,
/// and scripts without blanks give whole sentences. `text` is valid UTF-8.
std::vector<std::string> lower_case_words(std::string_view text);

}  // namespace attune::text
