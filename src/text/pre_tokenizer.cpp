// The table of pre-tokenisers. Most are a rule that says where delimiters are, and a behaviour that says what becomes
// of them.
#include "pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <string>

#include "attune/base/strings.h"
#include "cutting.h"
#include "parts.h"
#include "pattern.h"

namespace attune::text {

namespace {

void push(std::vector<Piece>& pieces, Span span) {
  if (span.begin < span.end) pieces.push_back({span});
}

/// White space goes, each punctuation character stands alone.
class BertPreTokenizer final : public PreTokenizer {
 public:
  BertPreTokenizer() {
    for (char32_t c = 0; c < 0x80; ++c) ascii_[c] = kind(c);
  }
  void apply(PreTokenized& text) const override {
    cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
      std::uint32_t word = piece.begin;  // where the current word begins
      for (std::size_t i = piece.begin; i < piece.end;) {
        const auto begin = static_cast<std::uint32_t>(i);
        const auto byte = static_cast<unsigned char>(view[i]);
        const Kind found = byte < 0x80 ? (++i, ascii_[byte]) : kind(next_code_point(view, i));
        if (found == letter) continue;
        push(out, {word, begin});
        word = static_cast<std::uint32_t>(i);
        if (found == punctuation) out.push_back({{begin, word}});
      }
      push(out, {word, piece.end});
    });
  }

 private:
  enum Kind : unsigned char { letter, blank, punctuation };
  static Kind kind(char32_t c) {
    const std::uint16_t bits = unicode::properties(c);
    return (bits & unicode::white_space) != 0 ? blank : (bits & unicode::bert_punctuation) != 0 ? punctuation : letter;
  }
  std::array<Kind, 0x80> ascii_{};
};

/// \w+|[^\w\s]+
class Whitespace final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    cut_at_characters(text, Behavior::removed, [](char32_t c) { return unicode::has(c, unicode::white_space); });
    cut_at_characters(text, Behavior::contiguous, [](char32_t c) { return unicode::has(c, unicode::word); });
  }
};

class WhitespaceSplit final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    cut_at_characters(text, Behavior::removed, [](char32_t c) { return unicode::has(c, unicode::white_space); });
  }
};

class Punctuation final : public PreTokenizer {
 public:
  explicit Punctuation(const JsonNode& node) {
    if (const auto behavior = node.find("behavior")) behavior_ = read_behavior(*behavior);
  }
  void apply(PreTokenized& text) const override {
    cut_at_characters(text, behavior_, [](char32_t c) { return unicode::has(c, unicode::bert_punctuation); });
  }

 private:
  Behavior behavior_ = Behavior::isolated;
};

class Digits final : public PreTokenizer {
 public:
  explicit Digits(const JsonNode& node)
      : behavior_(node.at("individual_digits").boolean() ? Behavior::isolated : Behavior::contiguous) {}
  void apply(PreTokenized& text) const override {
    cut_at_characters(text, behavior_, [](char32_t c) { return unicode::has(c, unicode::numeric); });
  }

 private:
  Behavior behavior_;
};

class CharDelimiterSplit final : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(const JsonNode& node) {
    const JsonNode delimiter = node.at("delimiter");
    const std::u32string characters = to_utf32(delimiter.string());
    if (characters.size() != 1) delimiter.fail("found '" + delimiter.string() + "', expected one character");
    delimiter_ = characters[0];
  }
  void apply(PreTokenized& text) const override {
    cut_at_characters(text, Behavior::removed, [&](char32_t c) { return c == delimiter_; });
  }

 private:
  char32_t delimiter_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(const JsonNode& node) : length_(node.integer_or("length", 5)) {
    if (length_ == 0) node.at("length").fail("found 0, expected at least 1");
  }
  void apply(PreTokenized& text) const override {
    cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
      for (std::size_t i = piece.begin; i < piece.end;) {
        const auto begin = static_cast<std::uint32_t>(i);
        for (std::int64_t n = 0; n < length_ && i < piece.end; ++n) next_code_point(view, i);
        out.push_back({{begin, static_cast<std::uint32_t>(i)}});
      }
    });
  }

 private:
  std::int64_t length_;  ///< characters
};

/// Cuts where the script changes. A blank belongs to what stands before it; at the beginning it goes, as in the
/// reference.
class UnicodeScripts final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
      std::uint8_t current = 0;
      for (std::size_t i = piece.begin; i < piece.end;) {
        const auto begin = static_cast<std::uint32_t>(i);
        const std::uint8_t group = unicode::script_group(next_code_point(view, i));
        if (group != 0 && group != current) {
          if (current != 0) out.back().span.end = begin;
          out.push_back({{begin, piece.end}});
          current = group;
        }
      }
    });
  }
};

class Split final : public PreTokenizer {
 public:
  explicit Split(const JsonNode& node)
      : pattern_(node.at("pattern")),
        behavior_(read_behavior(node.at("behavior"))),
        invert_(node.boolean_or("invert", false)) {}
  void apply(PreTokenized& text) const override {
    std::vector<Stretch> stretches;
    cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
      if (pattern_.scanner() != nullptr && behavior_ == Behavior::isolated) {
        cut_by_scanner(pattern_.scanner(), view, piece, out);
        return;
      }
      stretches.clear();
      std::uint32_t done = piece.begin;
      for (const Span match : pattern_.find_all(slice(view, piece))) {
        const Span found{piece.begin + match.begin, piece.begin + match.end};
        if (done < found.begin) stretches.push_back({{done, found.begin}, invert_});
        stretches.push_back({found, !invert_});
        done = found.end;
      }
      if (done < piece.end) stretches.push_back({{done, piece.end}, invert_});
      const auto first = static_cast<std::ptrdiff_t>(out.size());
      join_stretches(stretches, behavior_, out);
      const auto empty = [](const Piece& made) { return made.span.begin == made.span.end; };
      out.erase(std::remove_if(out.begin() + first, out.end(), empty), out.end());
    });
  }

 private:
  Pattern pattern_;
  Behavior behavior_;
  bool invert_;
};

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(const JsonNode& node) {
    node.at("pretokenizers").each_element([&](const JsonNode& part) { parts_.push_back(make_pre_tokenizer(part)); });
  }
  void apply(PreTokenized& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }
  bool leave_raw_bytes() override { return !parts_.empty() && parts_.back()->leave_raw_bytes(); }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

constexpr PartRow<PreTokenizer> kPreTokenizers[] = {
    {"BertPreTokenizer", make_part<PreTokenizer, BertPreTokenizer>},
    {"ByteLevel", make_byte_level},
    {"CharDelimiterSplit", make_part<PreTokenizer, CharDelimiterSplit>},
    {"Digits", make_part<PreTokenizer, Digits>},
    {"FixedLength", make_part<PreTokenizer, FixedLength>},
    {"Metaspace", make_metaspace},
    {"Punctuation", make_part<PreTokenizer, Punctuation>},
    {"Sequence", make_part<PreTokenizer, PreTokenizerSequence>},
    {"Split", make_part<PreTokenizer, Split>},
    {"UnicodeScripts", make_part<PreTokenizer, UnicodeScripts>},
    {"Whitespace", make_part<PreTokenizer, Whitespace>},
    {"WhitespaceSplit", make_part<PreTokenizer, WhitespaceSplit>},
};

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& node) {
  return make_from_table<PreTokenizer>(node, kPreTokenizers, "pre-tokeniser");
}

}  // namespace attune::text
