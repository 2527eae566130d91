// Normalisers: what is done to the text before it is cut. One row in normalizer.cpp per type of tokenizer.json.
#pragma once

#include <memory>

#include "aligned_text.h"
#include "json_node.h"

namespace attune::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

/// Throws Error{model} for a type that is unknown or not supported yet.
std::unique_ptr<Normalizer> make_normalizer(const JsonNode& node);
std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& node);

}  // namespace attune::text
