// WordPiece: greedy longest match from the left; a word that cannot be covered is one unknown token.
#include <algorithm>
#include <stdexcept>

#include "prefix_trie.h"
#include "vocabulary_model.h"

namespace attune::text {

namespace {

class WordPiece final : public VocabularyModel {
 public:
  explicit WordPiece(const JsonNode& node)
      : VocabularyModel(node),
        max_characters_(static_cast<std::size_t>(node.integer_or("max_input_chars_per_word", 100))) {
    const auto prefix_node = node.find("continuing_subword_prefix");
    const std::string prefix = prefix_node ? prefix_node->string() : "##";
    try {
      vocabulary_.each([&](const std::string& token, std::int32_t id) {
        if (!token.empty()) beginnings_.insert(token, id);
        if (token.size() > prefix.size() && token.starts_with(prefix))
          continuations_.insert(std::string_view(token).substr(prefix.size()), id);
      });
    } catch (const std::length_error& error) {
      node.at("vocab").fail(error.what());
    }
  }

  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override {
    const std::size_t before = out.size();
    const auto size = static_cast<std::uint32_t>(piece.size());
    bool covered = piece.size() <= max_characters_ || count_characters(piece) <= max_characters_;
    for (std::uint32_t begin = 0; covered && begin < size;) {
      const PrefixTrie& trie = begin == 0 ? beginnings_ : continuations_;
      const PrefixTrie::Match match = trie.longest_prefix(piece.substr(begin));
      covered = match.length > 0;
      out.push_back({match.value, {begin, begin + match.length}});
      begin += match.length;
    }
    if (covered) return;
    out.resize(before, {});
    out.push_back({unknown_id(), {0, size}});
  }

 private:
  static std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  }

  std::size_t max_characters_;
  PrefixTrie beginnings_;     ///< whole tokens, for the start of a word
  PrefixTrie continuations_;  ///< tokens with the prefix "##", without it
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const JsonNode& node) {
  return std::make_unique<WordPiece>(node);
}

}  // namespace attune::text
