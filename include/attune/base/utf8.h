// UTF-8 validation, decoding and encoding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

/// Byte position of the first ill-formed sequence (overlong, surrogate, > U+10FFFF, truncated), or nothing when valid.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Number of ASCII bytes in front of the first other byte.
std::size_t ascii_prefix(std::string_view text);
/// Ill-formed bytes become U+FFFD, one for each longest beginning of a sequence (as the Unicode standard advises
/// in 3.9).
std::string replace_invalid_utf8(std::string_view bytes);

inline bool is_continuation_byte(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

/// Of valid UTF-8.
inline std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation_byte(byte); }));
}

/// Decodes the code point at `position` of valid UTF-8 and moves `position` behind it.
inline char32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[position + i]));
  };
  const char32_t lead = byte(0);
  char32_t code_point = lead;
  std::size_t length = 1;
  if (lead < 0x80) {
  } else if (lead < 0xe0) {
    code_point = (lead & 0x1f) << 6 | (byte(1) & 0x3f);
    length = 2;
  } else if (lead < 0xf0) {
    code_point = (lead & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    length = 3;
  } else {
    code_point = (lead & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
    length = 4;
  }
  position += length;
  return code_point;
}

void append_utf8(std::string& out, char32_t code_point);
std::u32string to_utf32(std::string_view valid_utf8);
std::string to_utf8(std::u32string_view text);

}  // namespace attune
