// A text's tokens before truncation, special tokens and the final layout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aligned_text.h"

namespace attune::text {

struct DraftToken {
  std::int32_t id;
  std::int32_t word;
  Span offsets;            ///< code points of the input
  std::int32_t text = -1;  ///< index in Draft::texts where the token does not read as in the vocabulary
};

struct Draft {
  std::vector<DraftToken> tokens;
  std::vector<std::string> texts;

  void clear() {
    tokens.clear();
    texts.clear();
  }
};

/// Tokens [begin, end) of a draft.
struct Window {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
};

/// What truncation makes of a draft.
struct Windows {
  Window kept;
  std::vector<Window> overflowing;
};

}  // namespace attune::text
