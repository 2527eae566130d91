// Byte positions of a text as code point positions. ASCII costs nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aligned_text.h"
#include "attune/base/utf8.h"

namespace attune::text {

class CodePoints {
 public:
  /// For a text that is valid UTF-8.
  void reset(std::string_view text) {
    begun_.clear();
    if (ascii_prefix(text) == text.size()) return;
    begun_.reserve(text.size() + 1);
    std::uint32_t count = 0;
    begun_.push_back(count);
    for (const char c : text) {
      count += is_continuation_byte(c) ? 0 : 1;
      begun_.push_back(count);
    }
  }

  /// The code points that a non-empty span of bytes touches. An empty span stays empty.
  Span operator()(Span bytes) const {
    if (begun_.empty()) return bytes;
    if (bytes.begin == bytes.end) return {begun_[bytes.begin], begun_[bytes.begin]};
    return {begun_[bytes.begin + 1] - 1, begun_[bytes.end]};
  }

 private:
  std::vector<std::uint32_t> begun_;  ///< code points that begin in front of each byte; empty for ASCII
};

}  // namespace attune::text
