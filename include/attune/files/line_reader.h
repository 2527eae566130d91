// Text by lines, from plain or gzip files: the first bytes decide, not the name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace attune::files {

/// Lines end with LF or CRLF, neither of which is part of the line; the last one may have no end. A UTF-8 byte-order
/// mark at the beginning is skipped, a UTF-16 one is an error. The text is not checked for valid UTF-8.
///   LineReader reader("train.jsonl.gz"); for (std::string line; reader.next(line);) …
/// Errors are Error{data}: unreadable file, damaged or truncated gzip data, a line longer than 100 MB.
class LineReader {
 public:
  static constexpr std::size_t kMaxLineBytes = 100'000'000;

  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// False at the end of the file.
  bool next(std::string& line);
  /// Of the line that next() gave last, counted from 1; 0 before the first.
  std::int64_t line_number() const { return line_number_; }

 private:
  class Inflater;
  friend std::string read_text(const std::string& path, std::size_t max_bytes);
  std::unique_ptr<Inflater> inflater_;
  std::int64_t line_number_ = 0;
};

/// The whole file, inflated where it is gzip, byte-order mark skipped, line ends as they are. Error{data} as above, and
/// beyond `max_bytes` of text.
std::string read_text(const std::string& path, std::size_t max_bytes = std::size_t{4} << 30);

}  // namespace attune::files
