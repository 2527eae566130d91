// The table of pre-tokenisers. Most are a rule that says where delimiters are, and a behaviour that says what becomes
// of them.
#include "pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <string>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "parts.h"
#include "pattern.h"

namespace attune::text {

namespace {

enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior read_behavior(const JsonNode& node) {
  constexpr std::array<std::string_view, 5> kNames = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                                                      "Contiguous"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == node.string()) return static_cast<Behavior>(i);
  }
  node.fail("found '" + node.string() +
            "', expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

/// A stretch that is a delimiter or lies between delimiters.
struct Stretch {
  Span span;
  bool delimiter = false;
};

void push(std::vector<Piece>& pieces, Span span) {
  if (span.begin < span.end) pieces.push_back({span});
}

/// Applies the behaviour to stretches that cover the piece.
void join_stretches(const std::vector<Stretch>& stretches, Behavior behavior, std::vector<Piece>& out) {
  const auto merge = [&](auto begin, auto end, auto absorbs) {
    for (auto at = begin; at != end; ++at) absorbs(*at, at != begin ? &*(at - 1) : nullptr);
  };
  switch (behavior) {
    case Behavior::removed:
      for (const Stretch& stretch : stretches) {
        if (!stretch.delimiter) push(out, stretch.span);
      }
      return;
    case Behavior::isolated:
      for (const Stretch& stretch : stretches) push(out, stretch.span);
      return;
    case Behavior::contiguous:
      merge(stretches.begin(), stretches.end(), [&](const Stretch& stretch, const Stretch* before) {
        if (before != nullptr && before->delimiter == stretch.delimiter && !out.empty()) {
          out.back().span.end = stretch.span.end;
        } else {
          out.push_back({stretch.span});
        }
      });
      return;
    case Behavior::merged_with_previous:
      merge(stretches.begin(), stretches.end(), [&](const Stretch& stretch, const Stretch* before) {
        if (stretch.delimiter && before != nullptr && !before->delimiter) {
          out.back().span.end = stretch.span.end;
        } else {
          out.push_back({stretch.span});
        }
      });
      return;
    case Behavior::merged_with_next: {
      const auto first = static_cast<std::ptrdiff_t>(out.size());
      merge(stretches.rbegin(), stretches.rend(), [&](const Stretch& stretch, const Stretch* behind) {
        if (stretch.delimiter && behind != nullptr && !behind->delimiter) {
          out.back().span.begin = stretch.span.begin;
        } else {
          out.push_back({stretch.span});
        }
      });
      std::reverse(out.begin() + first, out.end());
      return;
    }
  }
}

/// Cuts every piece that is not an added token: cut(view of the whole text, span of the piece, pieces to append to).
template <typename Cut>
void cut_pieces(PreTokenized& text, Cut cut) {
  const std::string_view view = text.text.view();
  std::vector<Piece> pieces;
  pieces.reserve(text.pieces.size() + view.size() / 4);
  for (const Piece& piece : text.pieces) {
    if (piece.token >= 0) {
      pieces.push_back(piece);
    } else {
      cut(view, piece.span, pieces);
    }
  }
  text.pieces = std::move(pieces);
}

/// Every character that `delimiter` accepts is a stretch of its own.
template <typename Delimiter>
void cut_at_characters(PreTokenized& text, Behavior behavior, Delimiter delimiter) {
  std::vector<Stretch> stretches;
  cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
    stretches.clear();
    for (std::size_t i = piece.begin; i < piece.end;) {
      const auto begin = static_cast<std::uint32_t>(i);
      const bool cuts = delimiter(next_code_point(view, i));
      const auto end = static_cast<std::uint32_t>(i);
      if (!cuts && !stretches.empty() && !stretches.back().delimiter) {
        stretches.back().span.end = end;
      } else {
        stretches.push_back({{begin, end}, cuts});
      }
    }
    join_stretches(stretches, behavior, out);
  });
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
    const std::uint8_t bits = unicode::properties(c);
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

class Split final : public PreTokenizer {
 public:
  explicit Split(const JsonNode& node)
      : pattern_(node.at("pattern")),
        behavior_(read_behavior(node.at("behavior"))),
        invert_(node.boolean_or("invert", false)) {}
  void apply(PreTokenized& text) const override {
    std::vector<Stretch> stretches;
    cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
      stretches.clear();
      std::uint32_t done = piece.begin;
      for (const Span match : pattern_.find_all(slice(view, piece))) {
        const Span found{piece.begin + match.begin, piece.begin + match.end};
        if (done < found.begin) stretches.push_back({{done, found.begin}, invert_});
        stretches.push_back({found, !invert_});
        done = found.end;
      }
      if (done < piece.end) stretches.push_back({{done, piece.end}, invert_});
      join_stretches(stretches, behavior_, out);
      std::erase_if(out, [](const Piece& made) { return made.span.begin == made.span.end; });
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

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

constexpr PartRow<PreTokenizer> kRows[] = {
    {"BertPreTokenizer", make_part<PreTokenizer, BertPreTokenizer>},
    {"CharDelimiterSplit", make_part<PreTokenizer, CharDelimiterSplit>},
    {"Digits", make_part<PreTokenizer, Digits>},
    {"FixedLength", make_part<PreTokenizer, FixedLength>},
    {"Punctuation", make_part<PreTokenizer, Punctuation>},
    {"Sequence", make_part<PreTokenizer, PreTokenizerSequence>},
    {"Split", make_part<PreTokenizer, Split>},
    {"Whitespace", make_part<PreTokenizer, Whitespace>},
    {"WhitespaceSplit", make_part<PreTokenizer, WhitespaceSplit>},
};

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& node) {
  return make_from_table<PreTokenizer>(node, kRows, "pre-tokeniser");
}

}  // namespace attune::text
