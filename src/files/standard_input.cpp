// See standard_input.h. Not LineReader's zlib, which would wait for a full block.
#include "attune/files/standard_input.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/files/line_reader.h"

namespace attune::files {

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

/// `place`: "<stdin>", or with its line "<stdin>:3".
[[noreturn]] void refuse_input(std::string place, std::string what, std::string where, std::string hint) {
  throw Error(ErrorKind::data,
              {.file = std::move(place), .what = std::move(what), .where = std::move(where), .hint = std::move(hint)});
}

std::string place_of_line(std::int64_t line) { return concat("<stdin>:", line); }

}  // namespace

bool StandardInput::fill() {
  buffer_.resize(kBufferBytes);
  const ::ssize_t got = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
  if (got < 0) refuse_input("<stdin>", concat("cannot be read: ", std::strerror(errno)), "", "give it a text a line");
  buffer_.resize(static_cast<std::size_t>(got));
  begin_ = 0;
  return got > 0;
}

/// One line without its LF, or false at the end.
bool StandardInput::read(std::string& line) {
  line.clear();
  while (at_hand() || fill()) {
    const std::size_t end = std::min(buffer_.find('\n', begin_), buffer_.size());
    if (line.size() + (end - begin_) > LineReader::kMaxLineBytes) {
      refuse_input(place_of_line(line_number_), concat("the line is longer than ", LineReader::kMaxLineBytes, " bytes"), "", "");
    }
    line.append(buffer_, begin_, end - begin_);
    begin_ = std::min(end + 1, buffer_.size());
    if (end < buffer_.size()) return true;
  }
  return !line.empty();
}

bool StandardInput::next(std::string& line) {
  ++line_number_;
  if (!read(line)) {
    --line_number_;
    return false;
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line_number_ == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
  if (const auto bad = find_invalid_utf8(line)) {
    refuse_input(place_of_line(line_number_), "the text is not valid UTF-8", concat("byte ", *bad + 1), "convert it to UTF-8");
  }
  return true;
}

}  // namespace attune::files
