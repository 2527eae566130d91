// See assembly.h.
#include "assembly.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "attune/base/utf8.h"
#include "byte_alphabet.h"

namespace attune::text {

namespace {

bool is_blank(char32_t c) {
  return c == byte_alphabet::kCharacters[' '] || unicode::has(c, unicode::white_space);
}

void reserve(Encoding& out, std::size_t size, bool with_tokens) {
  out.ids.reserve(size);
  out.type_ids.reserve(size);
  if (with_tokens) out.tokens.reserve(size);
  out.offsets.reserve(size);
  out.special_tokens_mask.reserve(size);
  out.attention_mask.reserve(size);
  out.word_ids.reserve(size);
  out.sequence_ids.reserve(size);
}

}  // namespace

Assembler::Assembler(const Model& model, std::optional<PostProcessor> post_processor)
    : model_(&model),
      marks_sequences_(post_processor.has_value()),
      post_processor_(std::move(post_processor).value_or(PostProcessor())) {
  if (!trims()) return;
  edges_.resize(model.id_bound());
  for (std::size_t id = 0; id < edges_.size(); ++id) {
    const std::string* token = model.id_to_token(static_cast<std::int32_t>(id));
    if (token != nullptr) edges_[id] = edges_of(*token);
  }
}

Assembler::Edges Assembler::edges_of(std::string_view token) {
  const std::u32string text = to_utf32(token);
  const auto leading = std::find_if_not(text.begin(), text.end(), is_blank) - text.begin();
  const auto trailing = std::find_if_not(text.rbegin(), text.rend(), is_blank) - text.rbegin();
  const auto narrow = [](std::ptrdiff_t count) {
    return static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(count, std::numeric_limits<std::uint16_t>::max()));
  };
  return {narrow(leading), narrow(trailing)};
}

std::pair<std::uint32_t, std::uint32_t> Assembler::trimmed(const Draft& draft, const DraftToken& token,
                                                           bool first) const {
  auto [begin, end] = token.offsets;
  const Edges edges = token.text < 0 ? edges_[static_cast<std::size_t>(token.id)]
                                     : edges_of(draft.texts[static_cast<std::size_t>(token.text)]);
  const bool keeps_blank = edges.leading == 1 && post_processor_.trimming()->prefix_space && (first || begin == 0);
  if (!keeps_blank) begin = std::min(begin + edges.leading, end);
  if (end >= edges.trailing) end = std::max(end - edges.trailing, begin);
  return {begin, end};
}

void Assembler::append_special(const TemplatePiece& piece, Encoding& out, bool with_tokens) const {
  const std::size_t size = out.size() + piece.ids.size();
  out.ids.insert(out.ids.end(), piece.ids.begin(), piece.ids.end());
  if (with_tokens) out.tokens.insert(out.tokens.end(), piece.tokens.begin(), piece.tokens.end());
  out.type_ids.resize(size, piece.type_id);
  out.offsets.resize(size, {0, 0});
  out.special_tokens_mask.resize(size, 1);
  out.attention_mask.resize(size, 1);
  out.word_ids.resize(size, -1);
  out.sequence_ids.resize(size, -1);
}

void Assembler::append_text(const Source& source, const TemplatePiece& piece, Encoding& out, bool with_tokens) const {
  const Draft& draft = *source.draft;
  const std::size_t size = out.size() + source.window.size();
  for (std::size_t i = source.window.begin; i < source.window.end; ++i) {
    const DraftToken& token = draft.tokens[i];
    out.ids.push_back(token.id);
    out.word_ids.push_back(token.word);
    if (trims()) {
      out.offsets.push_back(trimmed(draft, token, i == source.window.begin));
    } else {
      out.offsets.emplace_back(token.offsets.begin, token.offsets.end);
    }
    if (!with_tokens) continue;
    out.tokens.push_back(token.text < 0 ? *model_->id_to_token(token.id)
                                        : draft.texts[static_cast<std::size_t>(token.text)]);
  }
  out.type_ids.resize(size, piece.type_id);
  out.special_tokens_mask.resize(size, 0);
  out.attention_mask.resize(size, 1);
  out.sequence_ids.resize(size, piece.sequence);
}

Encoding Assembler::fill(const Source& first, const Source* second, const EncodeOptions& options) const {
  Encoding out;
  reserve(out,
          first.window.size() + (second != nullptr ? second->window.size() : 0) +
              post_processor_.num_special_tokens(second != nullptr),
          options.with_tokens);
  for (const TemplatePiece& piece : post_processor_.pieces(second != nullptr)) {
    if (piece.sequence >= 0) {
      append_text(piece.sequence == 0 ? first : *second, piece, out, options.with_tokens);
    } else if (options.add_special_tokens) {
      append_special(piece, out, options.with_tokens);
    }
  }
  return out;
}

Encoding Assembler::assemble(const DraftPart& first, const DraftPart* second, const EncodeOptions& options) const {
  const auto source = [](const DraftPart& part, const Window& window) { return Source{part.draft, window}; };
  const Source kept = source(first, first.windows.kept);
  if (second == nullptr) {
    Encoding out = fill(kept, nullptr, options);
    for (const Window& window : first.windows.overflowing) {
      out.overflowing.push_back(fill(source(first, window), nullptr, options));
    }
    return out;
  }
  const Source other = source(*second, second->windows.kept);
  Encoding out = fill(kept, &other, options);
  const auto add = [&](const Source& a, const Source& b) { out.overflowing.push_back(fill(a, &b, options)); };
  for (const Window& window : first.windows.overflowing) {
    add(source(first, window), other);
    for (const Window& beside : second->windows.overflowing) add(source(first, window), source(*second, beside));
  }
  for (const Window& beside : second->windows.overflowing) add(kept, source(*second, beside));
  return out;
}

}  // namespace attune::text
