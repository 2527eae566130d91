// See standard_input.h. stdio and not LineReader's zlib, which would wait for a full block.
#include "attune/files/standard_input.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/files/line_reader.h"

namespace attune::files {

namespace {

[[noreturn]] void fail(std::string what, std::string where, std::string hint = "") {
  throw Error(ErrorKind::data,
              {.file = "<stdin>", .what = std::move(what), .where = std::move(where), .hint = std::move(hint)});
}

}  // namespace

/// One line without its LF, or false at the end.
bool StandardInput::read(std::string& line) const {
  line.clear();
  for (int byte = ::getc_unlocked(stdin); byte != EOF; byte = ::getc_unlocked(stdin)) {
    if (byte == '\n') return true;
    if (line.size() == LineReader::kMaxLineBytes) {
      fail(concat("a line is longer than ", LineReader::kMaxLineBytes, " bytes"), concat("line ", line_number_));
    }
    line += static_cast<char>(byte);
  }
  if (std::ferror(stdin) != 0) fail(concat("cannot be read: ", std::strerror(errno)), "", "give it a text a line");
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
    fail("the text is not valid UTF-8", concat("line ", line_number_, ", byte ", *bad + 1), "convert it to UTF-8");
  }
  return true;
}

}  // namespace attune::files
