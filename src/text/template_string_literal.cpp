// See template_string_literal.h.
#include "template_string_literal.h"

#include <array>
#include <cstdio>

#include "attune/base/utf8.h"
#include "template_fault.h"

namespace attune::text::jinja {

namespace {

class Unescaper {
 public:
  Unescaper(std::string_view literal, int line) : literal_(literal), line_(line) {}

  std::string run() {
    while (position_ < literal_.size()) {
      if (literal_[position_] == '\\') {
        ++position_;
        escape();
      } else {
        out_ += literal_[position_++];
      }
    }
    return std::move(out_);
  }

 private:
  void escape() {
    constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
    if (position_ == literal_.size()) fail_at(line_, "a string ends with a single \\");
    const char c = literal_[position_];
    if (const std::size_t known = kLetters.find(c); known != std::string_view::npos) {
      out_ += kMeanings[known];
      ++position_;
    } else if (c == '\n') {
      ++position_;
    } else if (c >= '0' && c <= '7') {
      octal();
    } else if (c == 'x' || c == 'u' || c == 'U') {
      ++position_;
      hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c == 'N') {
      fail_at(line_, "the escape \\N{…} is not supported; write the character itself");
    } else {
      unknown();
    }
  }

  void octal() {
    char32_t code = 0;
    for (int i = 0; i < 3 && position_ < literal_.size() && literal_[position_] >= '0' && literal_[position_] <= '7';
         ++i) {
      code = code * 8 + static_cast<char32_t>(literal_[position_++] - '0');
    }
    append_utf8(out_, code);
  }

  void hexadecimal(int digits) {
    char32_t code = 0;
    for (int i = 0; i < digits; ++i, ++position_) {
      const char c = position_ < literal_.size() ? literal_[position_] : '\0';
      const char lower = static_cast<char>(c | 0x20);
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit && !(lower >= 'a' && lower <= 'f'))
        fail_at(line_, "an escape needs ", digits, " hexadecimal digits");
      code = code * 16 + static_cast<char32_t>(is_digit ? c - '0' : lower - 'a' + 10);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) fail_at(line_, "an escape stands for no character");
    append_utf8(out_, code);
  }

  /// An unknown escape stays. Jinja sees other characters than ASCII as escapes already, and keeps their backslash
  /// only.
  void unknown() {
    out_ += '\\';
    const auto lead = static_cast<unsigned char>(literal_[position_]);
    if (lead < 0x80) {
      out_ += literal_[position_++];
      return;
    }
    const auto code = static_cast<unsigned>(next_code_point(literal_, position_));
    std::array<char, 16> buffer;
    std::snprintf(buffer.data(), buffer.size(), code <= 0xff ? "x%02x" : code <= 0xffff ? "u%04x" : "U%08x", code);
    out_ += buffer.data();
  }

  std::string_view literal_;
  int line_;
  std::size_t position_ = 0;
  std::string out_;
};

}  // namespace

std::string unescape_literal(std::string_view literal, int line) {
  return Unescaper(literal, line).run();
}

}  // namespace attune::text::jinja
