// Finds the objects of a JSON list without parsing them: readers parse row by row, so that each error has its line.
#pragma once

#include <cstdint>
#include <string_view>

namespace attune::data {

enum class JsonListItem { item, end, broken };

class JsonListScanner {
 public:
  /// `text` holds the whole list and must outlive the scanner.
  explicit JsonListScanner(std::string_view text) : text_(text) {}

  /// The text of the next item, from its first character to its last.
  JsonListItem next(std::string_view& item);
  /// 1-based line on which the item that next() gave last begins, or where the list is broken.
  std::int64_t line() const { return item_line_; }

 private:
  void skip_blanks();
  void advance();
  /// Moves behind the value that begins here; false where it does not end.
  bool pass_value();

  std::string_view text_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
  std::int64_t item_line_ = 1;
  bool begun_ = false;
};

}  // namespace attune::data
