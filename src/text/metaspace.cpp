// Metaspace, sentencepiece's way with blanks: they become a visible character, which also stands in front of a text.
#include "metaspace.h"

#include <algorithm>
#include <string>

#include "cutting.h"

namespace attune::text {

namespace {

class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(const JsonNode& node) : options_(read_metaspace(node)), split_(node.boolean_or("split", true)) {}

  void apply(PreTokenized& text) const override {
    rewrite_pieces(text, [&](std::string_view view, Span piece, AlignedText::Builder& out) {
      std::size_t i = piece.begin;
      const char32_t first = next_code_point(view, i);
      if (first != U' ' && first != options_.replacement && prepends(text, piece)) {
        out.append(options_.replacement, piece.begin);
      }
      for (i = piece.begin; i < piece.end;) {
        const std::size_t at = i;
        const char32_t c = next_code_point(view, i);
        out.append(c == U' ' ? options_.replacement : c, at);
      }
    });
    if (split_) {
      cut_at_characters(text, Behavior::merged_with_next, [&](char32_t c) { return c == options_.replacement; });
    }
  }

 private:
  bool prepends(const PreTokenized& text, Span piece) const {
    if (options_.scheme == PrependScheme::first) return text.text.origin(piece).begin == 0;
    return options_.scheme == PrependScheme::always;
  }

  MetaspaceOptions options_;
  bool split_;
};

}  // namespace

MetaspaceOptions read_metaspace(const JsonNode& node) {
  MetaspaceOptions options;
  const JsonNode replacement = node.at("replacement");
  const std::u32string characters = to_utf32(replacement.string());
  if (characters.size() != 1) replacement.fail("found '" + replacement.string() + "', expected one character");
  options.replacement = characters[0];
  if (const auto scheme = node.find("prepend_scheme")) {
    constexpr std::string_view kNames[] = {"always", "first", "never"};
    const auto* found = std::find(std::begin(kNames), std::end(kNames), scheme->string());
    if (found == std::end(kNames)) scheme->fail("found '" + scheme->string() + "', expected always, first or never");
    options.scheme = static_cast<PrependScheme>(found - kNames);
  }
  if (!node.boolean_or("add_prefix_space", true) && options.scheme != PrependScheme::never) {
    node.at("add_prefix_space").fail("false needs the prepend_scheme 'never'");
  }
  return options;
}

std::unique_ptr<PreTokenizer> make_metaspace(const JsonNode& node) {
  return std::make_unique<Metaspace>(node);
}

}  // namespace attune::text
