// The best known patterns of byte-level tokenizers, matched by hand instead of by the regex engine. Such a pattern
// matches something everywhere, so its matches tile the text.
#pragma once

#include <cstdint>
#include <string_view>

namespace attune::text {

/// The end of the match that begins at byte `begin`, a character boundary in front of the end of valid UTF-8.
using Scanner = std::uint32_t (*)(std::string_view text, std::uint32_t begin);

/// GPT-2's pattern, which ByteLevel uses.
std::uint32_t scan_gpt2(std::string_view text, std::uint32_t begin);

/// The scanner that matches exactly as this regular expression does, or nullptr.
Scanner find_scanner(std::string_view pattern);

}  // namespace attune::text
