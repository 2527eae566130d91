// See csv.h.
#include "attune/data/csv.h"

#include <algorithm>

#include "attune/base/strings.h"
#include "attune/data/record.h"

namespace attune::data {

CsvParser::CsvParser(std::string_view text, char separator, std::string file)
    : text_(text), separator_(separator), file_(std::move(file)) {}

bool CsvParser::at_line_end() const {
  return position_ >= text_.size() || text_[position_] == '\n' || text_.substr(position_, 2) == "\r\n";
}

void CsvParser::end_line() {
  if (position_ >= text_.size()) return;
  position_ += text_[position_] == '\r' ? 2 : 1;
  line_start_ = position_;
  ++line_;
}

void CsvParser::skip_empty_lines() {
  while (position_ < text_.size() && at_line_end()) end_line();
}

std::int64_t CsvParser::column() const {
  const std::string_view before = text_.substr(line_start_, position_ - line_start_);
  return 1 + std::count_if(before.begin(), before.end(),
                           [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

void CsvParser::read_quoted(std::string& cell) {
  const std::string where = concat(file_, ":", line_, ":", column());
  ++position_;
  while (position_ < text_.size()) {
    const char c = text_[position_++];
    if (c != '"') {
      cell += c;
      if (c == '\n') {
        line_start_ = position_;
        ++line_;
      }
    } else if (position_ < text_.size() && text_[position_] == '"') {
      cell += '"';
      ++position_;
    } else {
      return;
    }
  }
  throw Error(ErrorKind::data, {.file = where,
                                .what = "the quote that opens here is never closed",
                                .where = "",
                                .hint = "close it, or double a quote that belongs to the text"});
}

bool CsvParser::next(std::vector<std::string>& cells) {
  cells.clear();
  skip_empty_lines();
  if (position_ >= text_.size()) return false;
  row_line_ = line_;
  while (true) {
    std::string& cell = cells.emplace_back();
    if (position_ < text_.size() && text_[position_] == '"') {
      read_quoted(cell);
    } else {
      while (!at_line_end() && text_[position_] != separator_) cell += text_[position_++];
    }
    if (at_line_end()) break;
    if (text_[position_] != separator_) {
      const Origin origin{file_, line_};
      const auto at = static_cast<std::size_t>(column());
      while (!at_line_end()) ++position_;
      end_line();
      throw BadRow(origin, "text follows a closing quote", "", "double a quote that belongs to the text", at);
    }
    ++position_;
  }
  end_line();
  return true;
}

}  // namespace attune::data
