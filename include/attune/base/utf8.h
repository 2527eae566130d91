// UTF-8 validation, decoding and encoding.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

/// Byte position of the first ill-formed sequence (overlong, surrogate, > U+10FFFF, truncated), or nothing when valid.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Decodes the code point at `position` of valid UTF-8 and moves `position` behind it.
char32_t next_code_point(std::string_view text, std::size_t& position);

void append_utf8(std::string& out, char32_t code_point);
std::u32string to_utf32(std::string_view valid_utf8);
std::string to_utf8(std::u32string_view text);

}  // namespace attune
