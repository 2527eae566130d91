// Pre-tokenisers: cut normalised text into the pieces that the model sees. One row in pre_tokenizer.cpp per type.
#pragma once

#include <memory>
#include <vector>

#include "aligned_text.h"
#include "json_node.h"

namespace attune::text {

/// A stretch of the text under way. Pieces are never empty.
struct Piece {
  Span span;
  std::int32_t token = -1;  ///< id of the added token that it is; such pieces are left alone
};

struct PreTokenized {
  AlignedText text;
  std::vector<Piece> pieces;
  std::vector<Piece> spare;  ///< memory for the next list of pieces
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(PreTokenized& text) const = 0;
  /// Called once for a model that takes raw bytes: when the last thing done to the pieces is that their bytes become
  /// characters of the byte alphabet, leaves this out from now on and returns true.
  virtual bool leave_raw_bytes() { return false; }
};

/// Throws Error{model} for a type that is unknown or not supported yet.
std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& node);
std::unique_ptr<PreTokenizer> make_byte_level(const JsonNode& node);
std::unique_ptr<PreTokenizer> make_metaspace(const JsonNode& node);

}  // namespace attune::text
