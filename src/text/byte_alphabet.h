// The 256 characters that byte-level tokenizers (GPT-2 onwards) write bytes with: what prints in Latin-1 stands for
// itself, the other bytes for U+0100 and up in their order.
#pragma once

#include <array>
#include <optional>

#include "aligned_text.h"

namespace attune::text::byte_alphabet {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad);
}

/// The character of each byte.
inline constexpr std::array<char32_t, 256> kCharacters = [] {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) characters[byte] = stands_for_itself(byte) ? byte : next++;
  return characters;
}();

/// The way back; nothing for a character that stands for no byte.
std::optional<unsigned char> byte_of(char32_t character);

/// Appends the characters of the source's bytes [begin, end); each shares the alignment of its byte.
void append_bytes(std::string_view source, Span range, AlignedText::Builder& out);

}  // namespace attune::text::byte_alphabet
