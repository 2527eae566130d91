// Post-processing: special tokens around one text or a pair, and the type ids. BertProcessing is a template too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/text/tokenizer.h"
#include "json_node.h"

namespace attune::text {

/// What an encoding is put together from: sequence 0 or 1, or special tokens.
struct TemplatePiece {
  int sequence = -1;
  std::int32_t type_id = 0;
  std::vector<std::int32_t> ids;  ///< of a special token
  std::vector<std::string> tokens;
};

class PostProcessor {
 public:
  /// Without a "post_processor" the texts stand side by side, the second with type id 1.
  PostProcessor();
  /// Throws Error{model} for a type that is unknown or not supported yet.
  explicit PostProcessor(const JsonNode& node);

  std::size_t num_special_tokens(bool pair) const;
  /// The parts in order; their windows (`overflowing`) are combined as the reference does: every window of the first
  /// text with the second text and its windows, then the first text with every window of the second.
  Encoding assemble(const Encoding& first, const Encoding* second, const EncodeOptions& options) const;
  /// The special tokens it puts in, for checks against the vocabulary.
  std::vector<TemplatePiece> special_pieces() const;

 private:
  using Template = std::vector<TemplatePiece>;
  void read(const JsonNode& node);
  void read_template(const JsonNode& node);
  void read_bert(const JsonNode& node);
  void read_sequence(const JsonNode& node);

  Template single_, pair_;
};

}  // namespace attune::text
