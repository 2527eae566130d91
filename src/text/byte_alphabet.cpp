// See byte_alphabet.h.
#include "byte_alphabet.h"

#include <algorithm>

namespace attune::text::byte_alphabet {

namespace {

constexpr char32_t kBound = *std::max_element(kCharacters.begin(), kCharacters.end()) + 1;

constexpr std::array<short, kBound> kBytes = [] {
  std::array<short, kBound> bytes{};
  bytes.fill(-1);
  for (unsigned byte = 0; byte < 256; ++byte) bytes[kCharacters[byte]] = static_cast<short>(byte);
  return bytes;
}();

}  // namespace

std::optional<unsigned char> byte_of(char32_t character) {
  if (character >= kBound || kBytes[character] < 0) return std::nullopt;
  return static_cast<unsigned char>(kBytes[character]);
}

void append_bytes(std::string_view source, Span range, AlignedText::Builder& out) {
  for (std::size_t i = range.begin; i < range.end; ++i) {
    out.append(kCharacters[static_cast<unsigned char>(source[i])], i);
  }
}

}  // namespace attune::text::byte_alphabet
