// Aligned text tables for terminals and logs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace attune::report {

/// Columns that a terminal needs for `utf8`: 0 for combining marks, 2 for wide East Asian characters and emoji.
std::size_t display_width(std::string_view utf8);

/// `text` cut to `width` columns, ending in "…" where something was cut.
std::string fit_width(std::string_view text, std::size_t width);

/// A header, a rule and the rows; two blanks between columns, the first column aligned left, columns of numbers right.
/// Every line ends with a newline; a row with fewer cells than the header has empty ones.
std::string text_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

}  // namespace attune::report
