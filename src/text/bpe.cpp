// Byte-pair encoding: a piece starts as its characters, and merges join neighbours in the order of their ranks.
#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "byte_alphabet.h"
#include "merges.h"
#include "model.h"

namespace attune::text {

namespace {

std::string string_or_empty(const JsonNode& node, std::string_view key) {
  const auto found = node.find(key);
  return found ? found->string() : std::string();
}

class Bpe final : public Model {
 public:
  explicit Bpe(const JsonNode& node)
      : vocabulary_(node.at("vocab")),
        file_(node.file()),
        unknown_(string_or_empty(node, "unk_token")),
        prefix_(string_or_empty(node, "continuing_subword_prefix")),
        suffix_(string_or_empty(node, "end_of_word_suffix")),
        fuse_unknown_(node.boolean_or("fuse_unk", false)),
        byte_fallback_(node.boolean_or("byte_fallback", false)),
        ignore_merges_(node.boolean_or("ignore_merges", false)) {
    check_dropout(node);
    if (byte_fallback_ && !(prefix_.empty() && suffix_.empty())) {
      node.at("byte_fallback").fail("is not supported together with a subword prefix or a word suffix");
    }
    read_merges(node.at("merges"));
    words_stand_alone_ = find_words_stand_alone();
    for (unsigned byte = 0; byte < 256; ++byte) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", byte);
      fallback_ids_[byte] = vocabulary_.id(name).value_or(-1);
      std::string character;
      append_utf8(character, byte_alphabet::kCharacters[byte]);
      byte_ids_[byte] = vocabulary_.id(character).value_or(-1);
    }
  }

  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override {
    if (ignore_merges_) {
      if (const auto id = whole(piece)) {
        out.push_back({*id, {0, static_cast<std::uint32_t>(piece.size())}});
        return;
      }
    }
    std::vector<Symbol> word;
    if (raw_bytes_) {
      word.reserve(piece.size());
      for (const char c : piece) word.push_back({byte_ids_[static_cast<unsigned char>(c)], 1});
    } else {
      word = characters(piece);
    }
    merges_.apply(word, prefix_.empty());
    std::uint32_t end = 0;
    for (const Symbol& symbol : word) {
      const std::uint32_t begin = std::exchange(end, end + symbol.length);
      out.push_back({symbol.id, {begin, end}});
    }
  }

  std::size_t part_end(std::string_view piece, std::size_t begin) const override {
    if (!words_stand_alone_) return piece.size();
    while (piece.substr(begin).starts_with(kBlank)) begin += kBlank.size();
    return std::min(piece.find(kBlank, begin), piece.size());
  }

  bool can_take_raw_bytes() const override {
    const bool complete = std::none_of(byte_ids_.begin(), byte_ids_.end(), [](std::int32_t id) { return id < 0; });
    return complete && prefix_.empty() && suffix_.empty();
  }
  void take_raw_bytes() override { raw_bytes_ = true; }

  std::optional<std::int32_t> token_to_id(std::string_view token) const override { return vocabulary_.id(token); }
  const std::string* id_to_token(std::int32_t id) const override { return vocabulary_.token(id); }
  std::size_t size() const override { return vocabulary_.size(); }
  std::size_t id_bound() const override { return vocabulary_.id_bound(); }

 private:
  static void check_dropout(const JsonNode& node) {
    const auto dropout = node.find("dropout");
    if (dropout && dropout->number() != 0) {
      dropout->fail("BPE dropout is not supported: it would cut the same text differently every time",
                    "set it to null");
    }
  }

  void read_merges(const JsonNode& list) {
    list.each_element([&](const JsonNode& merge) {
      std::string_view first, second;
      if (merge.is_string()) {
        const std::string& text = merge.string();
        if (text.starts_with("#version")) return;
        const std::size_t blank = text.find(' ');
        if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos) {
          merge.fail("found '" + text + "', expected two tokens with a blank between");
        }
        first = std::string_view(text).substr(0, blank);
        second = std::string_view(text).substr(blank + 1);
      } else {
        first = merge.element(0).string();
        second = merge.element(1).string();
        if (merge.size() != 2) merge.fail(concat("found ", merge.size(), " tokens, expected two"));
      }
      if (merges_.size() == Merges::kMaxMerges) merge.fail(concat("more than ", Merges::kMaxMerges, " merges"));
      if (second.size() < prefix_.size()) merge.fail(concat("'", second, "' lacks the prefix '", prefix_, "'"));
      const auto id = [&](std::string_view token) {
        const auto found = vocabulary_.id(token);
        if (!found) merge.fail(concat("the token '", token, "' is not in the vocabulary"));
        return *found;
      };
      const std::int32_t left = id(first), right = id(second);
      merges_.add(left, right, id(std::string(first).append(second.substr(prefix_.size()))));
    });
  }

  /// Whether a word, with the visible blanks in front of it, is tokenised alike alone and in a text: the blank is
  /// known, no token reaches over the end of a word, and nothing vanishes (that would move all offsets behind it).
  bool find_words_stand_alone() const {
    if (ignore_merges_ || unknown_.empty() || !prefix_.empty() || !suffix_.empty() || !vocabulary_.id(kBlank))
      return false;
    bool alone = true;
    vocabulary_.each([&](const std::string& token, std::int32_t) {
      std::size_t word = 0;
      while (std::string_view(token).substr(word).starts_with(kBlank)) word += kBlank.size();
      alone = alone && token.find(kBlank, word) == std::string::npos;
    });
    return alone;
  }

  /// The token that the whole piece is.
  std::optional<std::int32_t> whole(std::string_view piece) const {
    if (!raw_bytes_) return vocabulary_.id(piece);
    std::string characters;
    for (const char c : piece) append_utf8(characters, byte_alphabet::kCharacters[static_cast<unsigned char>(c)]);
    return vocabulary_.id(characters);
  }

  /// The symbols that the characters of a piece start as. What is unknown and has no unknown token vanishes.
  std::vector<Symbol> characters(std::string_view piece) const {
    std::vector<Symbol> word;
    word.reserve(piece.size());
    Symbol unknown{0, 0};  // still to be added; of length 0 when there is none
    const auto flush = [&] {
      if (unknown.length > 0) word.push_back(std::exchange(unknown, {0, 0}));
    };
    for (std::size_t i = 0; i < piece.size();) {
      const std::size_t begin = i;
      next_code_point(piece, i);
      const std::string_view character = piece.substr(begin, i - begin);
      const auto length = static_cast<std::uint32_t>(character.size());
      if (const auto id = character_id(character, begin == 0, i == piece.size())) {
        flush();
        word.push_back({*id, length});
      } else if (byte_fallback_ && has_fallback(character)) {
        // An unknown stretch in front of these bytes is added only behind them, as in the reference.
        for (const char c : character) word.push_back({fallback_ids_[static_cast<unsigned char>(c)], 1});
      } else if (!unknown_.empty()) {
        if (!fuse_unknown_) flush();
        unknown = {unknown_id(), unknown.length + length};
      }
    }
    flush();
    return word;
  }

  std::optional<std::int32_t> character_id(std::string_view character, bool first, bool last) const {
    const bool prefixed = !first && !prefix_.empty(), suffixed = last && !suffix_.empty();
    if (!prefixed && !suffixed) return vocabulary_.id(character);
    return vocabulary_.id(concat(prefixed ? prefix_ : "", character, suffixed ? suffix_ : ""));
  }

  bool has_fallback(std::string_view character) const {
    return std::all_of(character.begin(), character.end(),
                       [&](char c) { return fallback_ids_[static_cast<unsigned char>(c)] >= 0; });
  }

  std::int32_t unknown_id() const {
    if (const auto id = vocabulary_.id(unknown_)) return *id;
    throw Error(ErrorKind::model,
                {.file = file_,
                 .what = concat("a text needs the unknown token '", unknown_, "', which is not in the vocabulary"),
                 .where = "model.unk_token",
                 .hint = "use the tokenizer files of one checkpoint"});
  }

  static constexpr std::string_view kBlank = "\u2581";

  Vocabulary vocabulary_;
  std::string file_;
  std::string unknown_, prefix_, suffix_;  ///< "" = none
  bool fuse_unknown_, byte_fallback_, ignore_merges_;
  bool words_stand_alone_ = false;
  bool raw_bytes_ = false;  ///< pieces are raw bytes, not yet written in the byte alphabet
  Merges merges_;
  std::array<std::int32_t, 256> fallback_ids_{};  ///< of "<0x0A>" and the like, -1 where there is none
  std::array<std::int32_t, 256> byte_ids_{};      ///< of the character of the byte alphabet, -1 where there is none
};

}  // namespace

std::unique_ptr<Model> make_bpe(const JsonNode& node) {
  return std::make_unique<Bpe>(node);
}

}  // namespace attune::text
