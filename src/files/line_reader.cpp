// See line_reader.h. zlib's gzread gives the bytes of plain files as they are and joins the members of a gzip file.
#include "attune/files/line_reader.h"

#include <zlib.h>

#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "descriptor.h"

namespace attune::files {

/// The inflated bytes in blocks.
class LineReader::Inflater {
 public:
  explicit Inflater(const std::string& path) : path_(path), buffer_(256 << 10) {
    RegularFile file = open_regular(path, ErrorKind::data);
    file_.reset(::gzdopen(file.descriptor.get(), "rb"));
    if (file_ == nullptr) fail("cannot be read");
    file.descriptor.release();
    ::gzbuffer(file_.get(), 128 << 10);
    fill();
    skip_byte_order_mark();
  }

  /// The unread part of the block; empty at the end of the file.
  std::string_view block() {
    if (block_.empty()) fill();
    return block_;
  }
  void consume(std::size_t bytes) { block_.remove_prefix(bytes); }

  [[noreturn]] void fail(std::string what, std::string hint = "") const { fail_at(path_, std::move(what), std::move(hint)); }
  [[noreturn]] void fail_in_line(std::int64_t line, std::string what) const { fail_at(concat(path_, ":", line), std::move(what), ""); }

 private:
  [[noreturn]] static void fail_at(std::string place, std::string what, std::string hint) {
    throw Error(ErrorKind::data, {.file = std::move(place), .what = std::move(what), .where = "", .hint = std::move(hint)});
  }

  void fill() {
    const int got = ::gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
    int status = Z_OK;
    const char* message = ::gzerror(file_.get(), &status);
    // At the end of a truncated file gzread gives what it has and only gzerror tells.
    if (got >= 0 && static_cast<std::size_t>(got) < buffer_.size() && status == Z_BUF_ERROR) {
      fail("the gzip data ends too early: truncated file?", "get the file again");
    }
    if (got < 0) fail(concat("damaged gzip data: ", message), "get the file again");
    block_ = std::string_view(buffer_.data(), static_cast<std::size_t>(got));
  }

  void skip_byte_order_mark() {
    if (block_.starts_with("\xef\xbb\xbf")) {
      block_.remove_prefix(3);
    } else if (block_.starts_with("\xff\xfe") || block_.starts_with("\xfe\xff")) {
      fail("the text is UTF-16, expected UTF-8", "save it as UTF-8");
    }
  }

  std::string path_;
  std::unique_ptr<gzFile_s, decltype(&::gzclose_r)> file_{nullptr, &::gzclose_r};
  std::vector<char> buffer_;
  std::string_view block_;
};

LineReader::LineReader(const std::string& path) : inflater_(std::make_unique<Inflater>(path)) {}

LineReader::~LineReader() = default;

bool LineReader::next(std::string& line) {
  line.clear();
  if (inflater_->block().empty()) return false;
  ++line_number_;
  while (true) {
    const std::string_view block = inflater_->block();
    const std::size_t end = block.find('\n');
    const std::string_view part = block.substr(0, end);
    if (part.size() > kMaxLineBytes - line.size()) {
      inflater_->fail_in_line(line_number_, concat("the line is longer than ", kMaxLineBytes, " bytes"));
    }
    line += part;
    inflater_->consume(part.size() + (end == std::string_view::npos ? 0 : 1));
    if (end != std::string_view::npos) break;
    if (block.empty()) return true;
  }
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

std::string read_text(const std::string& path, std::size_t max_bytes) {
  LineReader::Inflater inflater(path);
  std::string text;
  for (auto block = inflater.block(); !block.empty(); block = inflater.block()) {
    if (block.size() > max_bytes - text.size())
      inflater.fail(concat("the text is longer than ", max_bytes, " bytes"));
    text += block;
    inflater.consume(block.size());
  }
  return text;
}

}  // namespace attune::files
