// The pipeline: cut at raw added tokens, normalise each piece, cut at normalised added tokens, pre-tokenise, model,
// truncate, add special tokens.
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "tokenizer_impl.h"
#include "truncation.h"

namespace attune::text {

namespace {

void require_valid(std::string_view text) {
  if (text.size() > INT32_MAX) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = concat("a text of ", text.size(), " bytes, expected less than 2 GB"),
                                  .where = "",
                                  .hint = "split it"});
  }
  if (const auto bad = find_invalid_utf8(text)) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = "the text is not valid UTF-8",
                                  .where = concat("byte ", *bad),
                                  .hint = "convert the data to UTF-8"});
  }
}

/// Appends tokens to a draft as the pieces of a text arrive.
class Writer {
 public:
  Writer(const CodePoints& code_points, std::optional<std::int32_t> word, Draft& out)
      : code_points_(code_points), counts_(!word), word_(word.value_or(0)), out_(out) {}

  void add(std::int32_t id, Span origin) { out_.tokens.push_back({id, word_, code_points_(origin)}); }
  /// An added token, which reads as the text that it covers.
  void add_as(std::int32_t id, Span origin, std::string_view text) {
    add(id, origin);
    out_.tokens.back().text = static_cast<std::int32_t>(out_.texts.size());
    out_.texts.emplace_back(text);
  }
  void end_word() { word_ += counts_ ? 1 : 0; }

 private:
  const CodePoints& code_points_;
  bool counts_;
  std::int32_t word_;
  Draft& out_;
};

}  // namespace

void Tokenizer::Impl::tokenize(std::string_view text, std::optional<std::int32_t> word, Workspace& workspace,
                               Draft& out) const {
  require_valid(text);
  workspace.code_points.reset(text);
  Writer writer(workspace.code_points, word, out);
  PreTokenized& under_way = workspace.under_way;
  added.cut(text, false, workspace.segments);
  for (const Piece& segment : workspace.segments) {
    if (segment.token >= 0) {
      writer.add_as(segment.token, segment.span, slice(text, segment.span));
      writer.end_word();
      continue;
    }
    under_way.text.reset(slice(text, segment.span), segment.span.begin);
    if (normalizer) normalizer->apply(under_way.text);
    added.cut(under_way.text.view(), true, under_way.pieces);
    if (pre_tokenizer) pre_tokenizer->apply(under_way);
    const std::string_view view = under_way.text.view();
    for (const Piece& piece : under_way.pieces) {
      if (piece.token >= 0) {
        writer.add_as(piece.token, under_way.text.origin(piece.span), slice(view, piece.span));
      } else {
        const std::string_view content = slice(view, piece.span);
        for (std::size_t begin = 0, end = 0; begin < content.size(); begin = end) {
          end = model->part_end(content, begin);
          const auto start = static_cast<std::uint32_t>(piece.span.begin + begin);
          workspace.cache.tokenize(*model, content.substr(begin, end - begin),
                                   [&](std::int32_t id, std::uint32_t first, std::uint32_t last) {
                                     writer.add(id, under_way.text.origin({start + first, start + last}));
                                   });
        }
      }
      writer.end_word();
    }
  }
}

Encoding Tokenizer::Impl::finish(const Draft& first, const Draft* second, const EncodeOptions& options) const {
  DraftPart parts[] = {{&first, {{0, first.tokens.size()}, {}}}, {second, {}}};
  if (second != nullptr) parts[1].windows.kept = {0, second->tokens.size()};
  if (options.truncation) {
    const std::size_t special =
        options.add_special_tokens ? assembler->post_processor().num_special_tokens(second != nullptr) : 0;
    const auto second_size = second != nullptr ? std::optional(second->tokens.size()) : std::nullopt;
    std::tie(parts[0].windows, parts[1].windows) =
        truncate(first.tokens.size(), second_size, *options.truncation, special);
  }
  return assembler->assemble(parts[0], second != nullptr ? &parts[1] : nullptr, options);
}

Encoding Tokenizer::Impl::encode(const TextInput& input, const EncodeOptions& options, Workspace& workspace) const {
  workspace.first.clear();
  tokenize(input.text, std::nullopt, workspace, workspace.first);
  if (!input.pair) return finish(workspace.first, nullptr, options);
  workspace.second.clear();
  tokenize(*input.pair, std::nullopt, workspace, workspace.second);
  return finish(workspace.first, &workspace.second, options);
}

Encoding Tokenizer::Impl::encode_words(std::span<const std::string> words, const EncodeOptions& options,
                                       Workspace& workspace) const {
  workspace.first.clear();
  for (std::size_t i = 0; i < words.size(); ++i) {
    tokenize(words[i], static_cast<std::int32_t>(i), workspace, workspace.first);
  }
  return finish(workspace.first, nullptr, options);
}

}  // namespace attune::text
