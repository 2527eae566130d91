// Decoders: tokens back to text. One row in decoder.cpp per type.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "json_node.h"

namespace attune::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Rewrites the list of tokens; what is left is joined without anything between.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

/// Throws Error{model} for a type that is unknown or not supported yet.
std::unique_ptr<Decoder> make_decoder(const JsonNode& node);

}  // namespace attune::text
