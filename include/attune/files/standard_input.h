// Lines of stdin, one at a time as they come in, so that a person can type them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace attune::files {

/// Lines end with LF or CRLF, neither of which is part of the line; the last one may have no end. A UTF-8 byte-order
/// mark at the beginning is skipped. Error{data} for a stdin that is closed or cannot be read, a line that is not valid
/// UTF-8, and a line longer than LineReader::kMaxLineBytes. Only one of these at a time.
class StandardInput {
 public:
  /// False at the end.
  bool next(std::string& line);
  /// Whether the next line, or a part of it, was read already: a file comes in blocks, a keyboard's lines one by one.
  bool at_hand() const { return begin_ < buffer_.size(); }
  /// Of the line that next() gave last, counted from 1; 0 before the first.
  std::int64_t line_number() const { return line_number_; }

 private:
  bool read(std::string& line);
  bool fill();

  std::string buffer_;
  std::size_t begin_ = 0;  ///< what lies before it was handed out
  std::int64_t line_number_ = 0;
};

}  // namespace attune::files
