// Post-processing: special tokens around one text or a pair, the type ids, and whether offsets leave blanks out.
// BertProcessing and RobertaProcessing are templates too.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

  using Template = std::vector<TemplatePiece>;
  const Template& pieces(bool pair) const { return pair ? pair_ : single_; }
  std::size_t num_special_tokens(bool pair) const;
  /// The special tokens it puts in, for checks against the vocabulary.
  std::vector<TemplatePiece> special_pieces() const;

  /// Offsets leave out the white space at a token's ends.
  struct Trimming {
    bool prefix_space;  ///< the pre-tokeniser put a blank in front of the text: keep that one
  };
  const std::optional<Trimming>& trimming() const { return trimming_; }

 private:
  void read(const JsonNode& node);
  void read_bert(const JsonNode& node);
  void read_byte_level(const JsonNode& node);
  void read_roberta(const JsonNode& node);
  void read_sequence(const JsonNode& node);
  void read_template(const JsonNode& node);
  void read_trimming(const JsonNode& node);
  void set_templates(const JsonNode& node, Template single, Template pair);

  Template single_, pair_;
  bool has_templates_ = false;
  std::optional<Trimming> trimming_;
};

}  // namespace attune::text
