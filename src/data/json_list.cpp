// See json_list.h.
#include "json_list.h"

namespace attune::data {

void JsonListScanner::advance() {
  if (text_[position_] == '\n') ++line_;
  ++position_;
}

void JsonListScanner::skip_blanks() {
  while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) advance();
}

bool JsonListScanner::pass_value() {
  int depth = 0;
  bool in_text = false;
  for (; position_ < text_.size(); advance()) {
    const char c = text_[position_];
    if (in_text) {
      if (c == '\\') advance();
      if (c == '"') in_text = false;
      if (position_ >= text_.size()) return false;
      continue;
    }
    if (depth == 0 && (c == ',' || c == ']')) return true;
    if (c == '"') in_text = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) {
      advance();
      return true;
    }
  }
  return false;
}

JsonListItem JsonListScanner::next(std::string_view& item) {
  skip_blanks();
  item_line_ = line_;
  const char expected = begun_ ? ',' : '[';
  if (position_ >= text_.size()) return JsonListItem::broken;
  if (begun_ && text_[position_] == ']') {
    advance();
    skip_blanks();
    item_line_ = line_;
    return position_ == text_.size() ? JsonListItem::end : JsonListItem::broken;
  }
  if (text_[position_] != expected) return JsonListItem::broken;
  const bool is_first = !begun_;
  begun_ = true;
  advance();
  skip_blanks();
  item_line_ = line_;
  if (is_first && position_ < text_.size() && text_[position_] == ']') return next(item);
  const std::size_t begin = position_;
  if (!pass_value() || position_ == begin) return JsonListItem::broken;
  item = text_.substr(begin, position_ - begin);
  return JsonListItem::item;
}

}  // namespace attune::data
