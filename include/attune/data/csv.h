// CSV and TSV after RFC 4180: quoted cells may hold separators, line ends and doubled quotes. A pure parser over text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/example.h"

namespace attune::data {

/// Gives the rows of `text` one after another. Lines end with LF or CRLF; empty lines between rows are passed over; a
/// quote inside an unquoted cell is an ordinary character. `text` must outlive the parser.
///   CsvParser parser("a,\"b\"\"c\"\n", ',', "x.csv"); parser.next(cells); cells == {"a", "b\"c"}
class CsvParser {
 public:
  CsvParser(std::string_view text, char separator, std::string file);

  /// False at the end. BadRow for text behind a closing quote (the parser then stands at the next line); Error{data}
  /// for a quote that is never closed, because where its row ends cannot be known.
  bool next(std::vector<std::string>& cells);
  /// 1-based line on which the row that next() gave last (or threw about) starts.
  std::int64_t line() const { return row_line_; }

 private:
  void skip_empty_lines();
  bool at_line_end() const;
  void end_line();
  void read_quoted(std::string& cell);
  std::int64_t column() const;

  std::string_view text_;
  char separator_;
  std::string file_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::int64_t line_ = 1;
  std::int64_t row_line_ = 0;
};

}  // namespace attune::data
