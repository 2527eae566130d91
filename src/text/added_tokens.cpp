// See added_tokens.h.
#include "added_tokens.h"

#include <algorithm>

#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"

namespace attune::text {

namespace {

/// The code point that ends before byte `end` (> 0).
char32_t code_point_before(std::string_view text, std::size_t end) {
  std::size_t begin = end - 1;
  while ((static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) --begin;
  return next_code_point(text, begin);
}

char32_t code_point_at(std::string_view text, std::size_t begin) {
  return next_code_point(text, begin);
}

std::size_t skip_space_left(std::string_view text, std::size_t end) {
  while (end > 0 && unicode::has(code_point_before(text, end), unicode::white_space)) {
    do --end;
    while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80);
  }
  return end;
}

std::size_t skip_space_right(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    std::size_t next = begin;
    if (!unicode::has(next_code_point(text, next), unicode::white_space)) break;
    begin = next;
  }
  return begin;
}

bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin > 0 && unicode::has(code_point_before(text, begin), unicode::word)) ||
         (end < text.size() && unicode::has(code_point_at(text, end), unicode::word));
}

AddedToken read_token(const JsonNode& node) {
  AddedToken token;
  token.content = node.at("content").string();
  if (token.content.empty()) node.at("content").fail("an added token is empty", "remove it");
  token.id = static_cast<std::int32_t>(node.at("id").integer(0, (1 << 22) - 1));
  token.single_word = node.at("single_word").boolean();
  token.lstrip = node.at("lstrip").boolean();
  token.rstrip = node.at("rstrip").boolean();
  token.normalized = node.at("normalized").boolean();
  token.special = node.at("special").boolean();
  return token;
}

}  // namespace

AddedTokens::AddedTokens(const JsonNode& list, const Model& model, const Normalizer* normalizer) {
  list.each_element([&](const JsonNode& node) { add(read_token(node), node, model); });
  make_matchers(list, normalizer);
}

std::int32_t AddedTokens::next_id(const Model& model) const {
  const auto size = static_cast<std::int32_t>(model.size());
  return max_id_ >= size ? max_id_ + 1 : size;
}

void AddedTokens::add(AddedToken token, const JsonNode& node, const Model& model) {
  if (by_content_.contains(token.content)) node.fail("the added token '" + token.content + "' is listed twice");
  const auto known = model.token_to_id(token.content);
  const std::int32_t id = known ? *known : next_id(model);
  if (id != token.id) {
    log::warning(concat(node.file(), ": the added token '", token.content, "' has the id ", id, ", not ", token.id,
                        " as the file says (", node.path(), ")"));
  }
  token.id = id;
  max_id_ = std::max(max_id_, id);
  id_bound_ = static_cast<std::size_t>(max_id_) + 1;
  by_content_.emplace(token.content, tokens_.size());
  by_id_.insert_or_assign(id, tokens_.size());
  tokens_.push_back(std::move(token));
}

void AddedTokens::Matcher::add(std::string_view content, std::int32_t id) {
  trie.insert(content, id);
  begins[static_cast<unsigned char>(content[0])] = true;
}

void AddedTokens::make_matchers(const JsonNode& list, const Normalizer* normalizer) {
  // Where two contents become equal by normalisation the first wins, special tokens before others.
  for (const bool special : {true, false}) {
    for (AddedToken& token : tokens_) {
      if (token.special != special) continue;
      AlignedText content(token.content, 0);
      if (token.normalized && normalizer != nullptr) normalizer->apply(content);
      token.text = content.view();
      if (token.text.empty())
        list.fail("the added token '" + token.content + "' is empty after normalisation", "remove it");
      (token.normalized ? normalized_ : raw_).add(token.text, token.id);
    }
  }
}

void AddedTokens::cut(std::string_view text, bool normalized, std::vector<Piece>& pieces) const {
  const Matcher& matcher = normalized ? normalized_ : raw_;
  const auto size = static_cast<std::uint32_t>(text.size());
  pieces.clear();
  std::uint32_t done = 0;
  if (!matcher.trie.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      const PrefixTrie::Match match = matcher.begins[static_cast<unsigned char>(text[at])]
                                          ? matcher.trie.longest_prefix(text.substr(at))
                                          : PrefixTrie::Match{};
      if (match.length == 0) {
        ++at;
        continue;
      }
      std::size_t begin = at, end = at + match.length;
      at = end;  // the next token is looked for behind this one, also when this one does not count
      const AddedToken& token = *this->token(match.value);
      if (token.single_word && touches_word(text, begin, end)) continue;
      if (token.lstrip) begin = std::max<std::size_t>(skip_space_left(text, begin), done);
      if (token.rstrip) end = skip_space_right(text, end);
      const Span span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
      if (done < span.begin) pieces.push_back({{done, span.begin}});
      pieces.push_back({span, token.id});
      done = span.end;
    }
  }
  if (done < size) pieces.push_back({{done, size}});
}

std::optional<std::int32_t> AddedTokens::id(std::string_view content) const {
  const auto found = by_content_.find(std::string(content));
  if (found == by_content_.end()) return std::nullopt;
  return tokens_[found->second].id;
}

bool AddedTokens::reads_special(const std::string& text) const {
  const auto found = by_content_.find(text);
  return found != by_content_.end() && tokens_[found->second].special;
}

const AddedToken* AddedTokens::token(std::int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

}  // namespace attune::text
