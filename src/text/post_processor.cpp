// See post_processor.h.
#include "post_processor.h"

#include <algorithm>

#include "attune/base/strings.h"

namespace attune::text {

namespace {

constexpr std::int64_t kMaxId = INT32_MAX;

/// A piece {"Sequence": {id, type_id}} or {"SpecialToken": {id, type_id}}; `special_tokens` gives the ids of the
/// latter.
TemplatePiece read_piece(const JsonNode& node, const JsonNode& special_tokens) {
  TemplatePiece piece;
  if (const auto sequence = node.find("Sequence")) {
    const JsonNode id = sequence->at("id");
    if (id.string() != "A" && id.string() != "B") id.fail("found '" + id.string() + "', expected A or B");
    piece.sequence = id.string() == "A" ? 0 : 1;
    piece.type_id = static_cast<std::int32_t>(sequence->at("type_id").integer(0, kMaxId));
    return piece;
  }
  const JsonNode special = node.at("SpecialToken");
  piece.type_id = static_cast<std::int32_t>(special.at("type_id").integer(0, kMaxId));
  const JsonNode token = special_tokens.at(special.at("id").string());
  token.at("ids").each_element(
      [&](const JsonNode& id) { piece.ids.push_back(static_cast<std::int32_t>(id.integer(0, kMaxId))); });
  token.at("tokens").each_element([&](const JsonNode& text) { piece.tokens.push_back(text.string()); });
  if (piece.ids.size() != piece.tokens.size()) token.fail("'ids' and 'tokens' differ in length");
  return piece;
}

void append_special(const TemplatePiece& piece, bool with_tokens, Encoding& out) {
  const std::size_t count = piece.ids.size(), size = out.size() + count;
  out.ids.insert(out.ids.end(), piece.ids.begin(), piece.ids.end());
  if (with_tokens) out.tokens.insert(out.tokens.end(), piece.tokens.begin(), piece.tokens.end());
  out.type_ids.resize(size, piece.type_id);
  out.offsets.resize(size, {0, 0});
  out.special_tokens_mask.resize(size, 1);
  out.attention_mask.resize(size, 1);
  out.word_ids.resize(size, -1);
  out.sequence_ids.resize(size, -1);
}

void append_sequence(const Encoding& text, const TemplatePiece& piece, Encoding& out) {
  const std::size_t size = out.size() + text.size();
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(out.ids, text.ids);
  append(out.tokens, text.tokens);
  append(out.offsets, text.offsets);
  append(out.word_ids, text.word_ids);
  out.type_ids.resize(size, piece.type_id);
  out.special_tokens_mask.resize(size, 0);
  out.attention_mask.resize(size, 1);
  out.sequence_ids.resize(size, piece.sequence);
}

void reserve(Encoding& out, std::size_t size) {
  out.ids.reserve(size);
  out.offsets.reserve(size);
  out.word_ids.reserve(size);
  out.type_ids.reserve(size);
  out.special_tokens_mask.reserve(size);
  out.attention_mask.reserve(size);
  out.sequence_ids.reserve(size);
}

}  // namespace

PostProcessor::PostProcessor() {
  single_.push_back({.sequence = 0, .type_id = 0, .ids = {}, .tokens = {}});
  pair_ = single_;
  pair_.push_back({.sequence = 1, .type_id = 1, .ids = {}, .tokens = {}});
}

PostProcessor::PostProcessor(const JsonNode& node) : PostProcessor() {
  read(node);
}

void PostProcessor::read(const JsonNode& node) {
  struct Row {
    std::string_view type;
    void (PostProcessor::*read)(const JsonNode&);
  };
  constexpr Row kRows[] = {{"BertProcessing", &PostProcessor::read_bert},
                           {"Sequence", &PostProcessor::read_sequence},
                           {"TemplateProcessing", &PostProcessor::read_template}};
  for (const Row& row : kRows) {
    if (row.type == node.type()) return (this->*row.read)(node);
  }
  node.at("type").fail(concat("the post-processor '", node.type(), "' is not supported yet"),
                       "supported are BertProcessing, Sequence, TemplateProcessing");
}

void PostProcessor::read_template(const JsonNode& node) {
  const JsonNode special_tokens = node.at("special_tokens");
  const auto read_pieces = [&](const char* key) {
    Template pieces;
    node.at(key).each_element([&](const JsonNode& piece) { pieces.push_back(read_piece(piece, special_tokens)); });
    return pieces;
  };
  single_ = read_pieces("single");
  pair_ = read_pieces("pair");
  for (const TemplatePiece& piece : single_) {
    if (piece.sequence == 1) node.at("single").fail("the template of one text uses the second text, B");
  }
}

void PostProcessor::read_bert(const JsonNode& node) {
  const auto special = [&](const char* key, std::int32_t type_id) {
    const JsonNode entry = node.at(key);
    const auto id = static_cast<std::int32_t>(entry.element(1).integer(0, kMaxId));
    return TemplatePiece{.sequence = -1, .type_id = type_id, .ids = {id}, .tokens = {entry.element(0).string()}};
  };
  const Template plain = pair_;
  single_ = {special("cls", 0), plain[0], special("sep", 0)};
  pair_ = {special("cls", 0), plain[0], special("sep", 0), plain[1], special("sep", 1)};
}

void PostProcessor::read_sequence(const JsonNode& node) {
  const JsonNode processors = node.at("processors");
  if (processors.size() > 1) processors.fail("more than one post-processor in a Sequence is not supported yet");
  processors.each_element([&](const JsonNode& part) { read(part); });
}

std::size_t PostProcessor::num_special_tokens(bool pair) const {
  std::size_t count = 0;
  for (const TemplatePiece& piece : pair ? pair_ : single_) count += piece.ids.size();
  return count;
}

Encoding PostProcessor::assemble(const Encoding& first, const Encoding* second, const EncodeOptions& options) const {
  const Template& pieces = second != nullptr ? pair_ : single_;
  const auto fill = [&](const Encoding& a, const Encoding* b) {
    Encoding out;
    reserve(out, a.size() + (b != nullptr ? b->size() : 0) + num_special_tokens(b != nullptr));
    for (const TemplatePiece& piece : pieces) {
      if (piece.sequence >= 0) {
        append_sequence(piece.sequence == 0 ? a : *b, piece, out);
      } else if (options.add_special_tokens) {
        append_special(piece, options.with_tokens, out);
      }
    }
    return out;
  };
  Encoding out = fill(first, second);
  for (const Encoding& window : first.overflowing) {
    out.overflowing.push_back(fill(window, second));
    if (second == nullptr) continue;
    for (const Encoding& other : second->overflowing) out.overflowing.push_back(fill(window, &other));
  }
  if (second != nullptr) {
    for (const Encoding& other : second->overflowing) out.overflowing.push_back(fill(first, &other));
  }
  return out;
}

std::vector<TemplatePiece> PostProcessor::special_pieces() const {
  std::vector<TemplatePiece> out;
  for (const Template* pieces : {&single_, &pair_}) {
    std::copy_if(pieces->begin(), pieces->end(), std::back_inserter(out),
                 [](const TemplatePiece& piece) { return piece.sequence < 0; });
  }
  return out;
}

}  // namespace attune::text
