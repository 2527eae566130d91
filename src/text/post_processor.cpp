// See post_processor.h.
#include "post_processor.h"

#include <algorithm>
#include <iterator>
#include <utility>

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

/// The entry [token, id] of BertProcessing and RobertaProcessing.
TemplatePiece read_special(const JsonNode& entry, std::int32_t type_id) {
  const auto id = static_cast<std::int32_t>(entry.element(1).integer(0, kMaxId));
  return {.sequence = -1, .type_id = type_id, .ids = {id}, .tokens = {entry.element(0).string()}};
}

TemplatePiece sequence(int index, std::int32_t type_id) {
  return {.sequence = index, .type_id = type_id, .ids = {}, .tokens = {}};
}

}  // namespace

PostProcessor::PostProcessor() : single_{sequence(0, 0)}, pair_{sequence(0, 0), sequence(1, 1)} {}

PostProcessor::PostProcessor(const JsonNode& node) : PostProcessor() {
  read(node);
}

void PostProcessor::read(const JsonNode& node) {
  struct Row {
    std::string_view type;
    void (PostProcessor::*read)(const JsonNode&);
  };
  constexpr Row kRows[] = {{"BertProcessing", &PostProcessor::read_bert},
                           {"ByteLevel", &PostProcessor::read_byte_level},
                           {"RobertaProcessing", &PostProcessor::read_roberta},
                           {"Sequence", &PostProcessor::read_sequence},
                           {"TemplateProcessing", &PostProcessor::read_template}};
  for (const Row& row : kRows) {
    if (row.type == node.type()) return (this->*row.read)(node);
  }
  node.at("type").fail(concat("the post-processor '", node.type(), "' is not supported yet"),
                       "supported are BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
}

void PostProcessor::read_template(const JsonNode& node) {
  const JsonNode special_tokens = node.at("special_tokens");
  const auto read_pieces = [&](const char* key) {
    Template pieces;
    node.at(key).each_element([&](const JsonNode& piece) { pieces.push_back(read_piece(piece, special_tokens)); });
    return pieces;
  };
  set_templates(node, read_pieces("single"), read_pieces("pair"));
  for (const TemplatePiece& piece : single_) {
    if (piece.sequence == 1) node.at("single").fail("the template of one text uses the second text, B");
  }
}

void PostProcessor::read_bert(const JsonNode& node) {
  const JsonNode cls = node.at("cls"), sep = node.at("sep");
  const TemplatePiece begin = read_special(cls, 0), end = read_special(sep, 0);
  set_templates(node, {begin, sequence(0, 0), end}, {begin, sequence(0, 0), end, sequence(1, 1), read_special(sep, 1)});
}

void PostProcessor::read_roberta(const JsonNode& node) {
  const TemplatePiece begin = read_special(node.at("cls"), 0), end = read_special(node.at("sep"), 0);
  set_templates(node, {begin, sequence(0, 0), end}, {begin, sequence(0, 0), end, end, sequence(1, 0), end});
  read_trimming(node);
}

void PostProcessor::read_byte_level(const JsonNode& node) {
  read_trimming(node);
}

void PostProcessor::read_sequence(const JsonNode& node) {
  node.at("processors").each_element([&](const JsonNode& part) { read(part); });
}

void PostProcessor::set_templates(const JsonNode& node, Template single, Template pair) {
  if (has_templates_) node.fail("a second post-processor that adds special tokens is not supported");
  has_templates_ = true;
  single_ = std::move(single);
  pair_ = std::move(pair);
}

void PostProcessor::read_trimming(const JsonNode& node) {
  const bool prefix_space = node.at("add_prefix_space").boolean();
  if (!node.at("trim_offsets").boolean()) return;
  if (trimming_) node.at("trim_offsets").fail("a second post-processor that trims offsets is not supported");
  if (has_templates_ && node.type() == "ByteLevel") {
    node.at("trim_offsets").fail("trimming behind the special tokens is not supported", "put ByteLevel first");
  }
  trimming_ = Trimming{prefix_space};
}

std::size_t PostProcessor::num_special_tokens(bool pair) const {
  std::size_t count = 0;
  for (const TemplatePiece& piece : pieces(pair)) count += piece.ids.size();
  return count;
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
