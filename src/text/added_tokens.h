// Added tokens: strings that are cut out of the text before the model sees it, with their flags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "json_node.h"
#include "model.h"
#include "normalizer.h"
#include "pre_tokenizer.h"
#include "prefix_trie.h"

namespace attune::text {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space behind it along
  bool normalized = false;   ///< looked for in the normalised text, its own content normalised too
  bool special = false;
  std::string text;  ///< what it reads as: its content, normalised if the token is
};

class AddedTokens {
 public:
  AddedTokens() = default;
  /// Reads the list "added_tokens". A content that the model knows keeps the model's id; others count up from its last.
  AddedTokens(const JsonNode& list, const Model& model, const Normalizer* normalizer);

  /// Cuts the text at tokens with (or without) `normalized` into `pieces`, which are replaced. Without any token, the
  /// whole text is one piece.
  void cut(std::string_view text, bool normalized, std::vector<Piece>& pieces) const;

  std::optional<std::int32_t> id(std::string_view content) const;
  const AddedToken* token(std::int32_t id) const;
  /// Whether a token that reads so is left out with the special tokens. As in the reference the text decides: a special
  /// token that normalisation changes is not.
  bool reads_special(const std::string& text) const;
  std::size_t id_bound() const { return id_bound_; }

 private:
  /// The tokens of one pass and the bytes that one of them begins with.
  struct Matcher {
    PrefixTrie trie;
    bool begins[256] = {};
    void add(std::string_view content, std::int32_t id);
  };
  std::int32_t next_id(const Model& model) const;
  void add(AddedToken token, const JsonNode& node, const Model& model);
  void make_matchers(const JsonNode& list, const Normalizer* normalizer);

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string, std::size_t> by_content_;  ///< index in tokens_
  std::unordered_map<std::int32_t, std::size_t> by_id_;
  std::int32_t max_id_ = -1;
  std::size_t id_bound_ = 0;
  Matcher raw_, normalized_;
};

}  // namespace attune::text
