// Aligned text tables; widths come from utf8proc.
#include "attune/report/table.h"

#include <utf8proc.h>

#include <algorithm>

#include "attune/base/utf8.h"

namespace attune::report {
namespace {

std::size_t character_width(char32_t c) {
  return static_cast<std::size_t>(std::max(0, utf8proc_charwidth(static_cast<utf8proc_int32_t>(c))));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - std::min(width, display_width(text)), ' ');
  return right ? blanks + text : text + blanks;
}

/// A cell that starts like a number, an interval or a dash for "none".
bool numeric(const std::string& cell) {
  return cell.empty() || cell == "–" || cell.find_first_of("0123456789[-+.") == 0;
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                    const std::vector<bool>& right) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) line += "  ";
    line += padded(i < cells.size() ? cells[i] : "", widths[i], right[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  if (find_invalid_utf8(utf8)) return utf8.size();
  std::size_t width = 0;
  for (std::size_t at = 0; at < utf8.size();) width += character_width(next_code_point(utf8, at));
  return width;
}

std::string fit_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0 || find_invalid_utf8(text)) return std::string(text.substr(0, width));
  std::size_t used = 0, end = 0;
  for (std::size_t at = 0; at < text.size(); end = at) {
    const std::size_t more = character_width(next_code_point(text, at));
    if (used + more > width - 1) break;
    used += more;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string text_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::size_t width = display_width(header[i]);
    bool numbers = i > 0;
    for (const auto& row : rows) {
      if (i >= row.size()) continue;
      width = std::max(width, display_width(row[i]));
      numbers = numbers && numeric(row[i]);
    }
    widths.push_back(width);
    right.push_back(numbers);
  }
  std::string table = line_of(header, widths, right);
  std::vector<std::string> rule;
  for (const std::size_t width : widths) {
    rule.emplace_back();
    for (std::size_t i = 0; i < width; ++i) rule.back() += "─";
  }
  table += line_of(rule, widths, right);
  for (const auto& row : rows) table += line_of(row, widths, right);
  return table;
}

}  // namespace attune::report
