// See template_lexer.h.
#include "template_lexer.h"

#include <algorithm>
#include <cctype>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "template_fault.h"
#include "template_string_literal.h"

namespace attune::text::jinja {

namespace {

/// Line ends become \n; in chat templates the last one goes.
std::string normalized(std::string_view source, Dialect dialect) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
    } else {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (dialect == Dialect::chat && text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(std::string_view source, Dialect dialect)
      : text_(normalized(source, dialect)), trims_(dialect == Dialect::chat) {}

  std::vector<Token> run() {
    while (position_ < text_.size()) root();
    add(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  enum class Sign { none, minus, plus };

  // Reading.

  bool at(std::string_view wanted, std::size_t offset = 0) const {
    return std::string_view(text_).substr(std::min(position_ + offset, text_.size())).starts_with(wanted);
  }
  char here(std::size_t offset = 0) const {
    return position_ + offset < text_.size() ? text_[position_ + offset] : '\0';
  }
  std::string_view rest() const { return std::string_view(text_).substr(position_); }
  void advance(std::size_t bytes) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(position_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(position_ + bytes), '\n'));
    position_ += bytes;
  }
  void skip_space() { advance(leading_space(rest())); }
  Sign take_sign() {
    if (here() != '-' && here() != '+') return Sign::none;
    return text_[position_++] == '-' ? Sign::minus : Sign::plus;
  }
  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  // The end of a tag: "-" eats the white space behind it, a block's plain end one line end where blocks are trimmed.

  bool take_end(std::string_view end, bool is_block) {
    const bool minus = here() == '-', plus = is_block && here() == '+';
    if (!at(end, minus || plus)) return false;
    advance(end.size() + (minus || plus));
    const std::size_t before = position_;
    if (minus) {
      skip_space();
    } else if (trims_ && is_block && !plus && here() == '\n') {
      advance(1);
    }
    starts_line_ = position_ > before && text_[position_ - 1] == '\n';
    return true;
  }

  // Data between the tags.

  void root() {
    const std::size_t begin = position_;
    const std::size_t tag = find_tag(begin);
    if (tag == text_.size()) {
      data(begin, tag, Sign::plus, false);
      return;
    }
    position_ = tag + 2;
    const char kind = text_[tag + 1];
    const Sign sign = take_sign();
    const std::size_t behind = position_;
    position_ = begin;
    data(begin, tag, sign, kind != '{');
    advance(behind - tag);
    starts_line_ = false;
    if (kind == '#') {
      comment();
    } else if (kind == '%' && take_raw_begin()) {
      raw();
    } else {
      add(kind == '%' ? TokenKind::block_begin : TokenKind::output_begin, "");
      tag_body(kind == '%');
    }
  }

  std::size_t find_tag(std::size_t from) const {
    for (std::size_t at = text_.find('{', from); at < text_.size(); at = text_.find('{', at + 1)) {
      if (at + 1 < text_.size() && std::string_view("{%#").find(text_[at + 1]) != std::string_view::npos) return at;
    }
    return text_.size();
  }

  /// Adds the text up to `end` without what the tag behind it strips, and moves there.
  void data(std::size_t begin, std::size_t end, Sign sign, bool strips_line) {
    std::string_view part = std::string_view(text_).substr(begin, end - begin);
    if (sign == Sign::minus) {
      part = strip(part, std::nullopt, Ends::right);
    } else if (trims_ && sign == Sign::none && strips_line) {
      const std::size_t line_start = part.rfind('\n') + 1;  // 0 when there is none
      const bool is_indent = leading_space(part.substr(line_start)) == part.size() - line_start;
      if ((line_start > 0 || starts_line_) && is_indent) part = part.substr(0, line_start);
    }
    if (!part.empty()) add(TokenKind::data, std::string(part));
    advance(end - begin);
  }

  void comment() {
    const int line = line_;
    const std::size_t end = text_.find("#}", position_);
    if (end == std::string::npos) fail_at(line, "a comment is not closed with '#}'");
    const bool has_sign = end > position_ && (text_[end - 1] == '-' || text_[end - 1] == '+');
    advance(end - position_ - has_sign);
    take_end("#}", true);
  }

  // {% raw %}

  bool take_raw_begin() {
    const std::size_t begin = position_;
    const int line = line_;
    skip_space();
    if (at("raw")) {
      advance(3);
      skip_space();
      if (take_end("%}", false)) return true;
    }
    position_ = begin;
    line_ = line;
    return false;
  }

  void raw() {
    const std::size_t begin = position_;
    const int line = line_;
    for (std::size_t tag = text_.find("{%", begin); tag != std::string::npos; tag = text_.find("{%", tag + 1)) {
      position_ = tag + 2;
      const Sign sign = take_sign();
      position_ += leading_space(rest());
      if (!at("endraw")) continue;
      position_ += 6;
      position_ += leading_space(rest());
      const std::size_t end = position_;
      const bool closes = at("%}") || at("-%}") || at("+%}");
      if (!closes) continue;
      position_ = begin;
      data(begin, tag, sign, true);
      advance(end - tag);
      take_end("%}", true);
      return;
    }
    fail_at(line, "'raw' is not closed with 'endraw'");
  }

  // Inside {% … %} and {{ … }}.

  void tag_body(bool is_block) {
    brackets_.clear();
    while (position_ < text_.size()) {
      if (brackets_.empty() && take_tag_end(is_block)) return;
      if (const std::size_t space = leading_space(rest()); space > 0) {
        advance(space);
      } else if (!number() && !name() && !string()) {
        symbol();
      }
    }
  }

  bool take_tag_end(bool is_block) {
    const int line = line_;
    if (!take_end(is_block ? "%}" : "}}", is_block)) return false;
    tokens_.push_back({is_block ? TokenKind::block_end : TokenKind::output_end, "", line});
    return true;
  }

  /// Digits with single underscores between them, from `offset`; their length.
  std::size_t digits(std::size_t offset) const {
    std::size_t length = 0;
    while (is_digit(here(offset + length)) ||
           (length > 0 && here(offset + length) == '_' && is_digit(here(offset + length + 1)))) {
      ++length;
    }
    return length;
  }

  std::size_t real_length() const {
    const std::size_t whole = digits(0);
    if (whole == 0 || (position_ > 0 && text_[position_ - 1] == '.')) return 0;
    std::size_t length = whole;
    if (here(length) == '.' && digits(length + 1) > 0) length += 1 + digits(length + 1);
    if ((here(length) | 0x20) == 'e') {
      const std::size_t sign = here(length + 1) == '+' || here(length + 1) == '-';
      const std::size_t exponent = digits(length + 1 + sign);
      if (exponent > 0) length += 1 + sign + exponent;
    }
    return length == whole ? 0 : length;
  }

  std::size_t integer_length() const {
    const char letter = static_cast<char>(here(1) | 0x20);
    if (here() == '0' && (letter == 'x' || letter == 'o' || letter == 'b')) {
      const auto is_of_base = [&](char c) {
        return letter == 'x' ? std::isxdigit(static_cast<unsigned char>(c)) != 0
                             : c >= '0' && c <= (letter == 'o' ? '7' : '1');
      };
      std::size_t length = 2;
      while (is_of_base(here(length)) || (here(length) == '_' && is_of_base(here(length + 1)))) ++length;
      if (length > 2) return length;
    }
    if (here() != '0') return digits(0);
    std::size_t length = 1;
    while (here(length) == '0' || (here(length) == '_' && here(length + 1) == '0')) ++length;
    return length;
  }

  bool number() {
    if (!is_digit(here())) return false;
    const std::size_t real = real_length();
    const std::size_t length = real > 0 ? real : integer_length();
    const std::string digits(text_.substr(position_, length));
    Token token{real > 0 ? TokenKind::real : TokenKind::integer, digits, line_};
    if (real > 0) {
      token.number = parse_real(digits).value_or(0);
    } else {
      token.whole = parse_integer(digits, 0).value_or(0);
    }
    tokens_.push_back(std::move(token));
    position_ += length;
    return true;
  }

  bool name() {
    std::size_t end = position_;
    while (end < text_.size()) {
      std::size_t next = end;
      const char32_t c = next_code_point(text_, next);
      if (!is_word(c)) break;
      end = next;
    }
    if (end == position_) return false;
    add(TokenKind::name, text_.substr(position_, end - position_));
    position_ = end;
    return true;
  }

  bool string() {
    const char quote = here();
    if (quote != '\'' && quote != '"') return false;
    std::size_t end = position_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail_at(line_, "a string is not closed with ", quote);
    add(TokenKind::text, unescape_literal(std::string_view(text_).substr(position_ + 1, end - position_ - 1), line_));
    advance(end + 1 - position_);
    return true;
  }

  void symbol() {
    constexpr std::string_view kLong[] = {"**", "//", "==", "!=", "<=", ">="};
    constexpr std::string_view kShort = "+-*/%~[](){}<>=.:|,;";
    const auto* found =
        std::find_if(std::begin(kLong), std::end(kLong), [&](std::string_view candidate) { return at(candidate); });
    const std::size_t length = found == std::end(kLong) ? 1 : 2;
    if (length == 1 && kShort.find(here()) == std::string_view::npos) {
      std::size_t next = position_;
      next_code_point(text_, next);
      fail_at(line_, "unexpected character '", text_.substr(position_, next - position_), "'");
    }
    balance(here());
    add(TokenKind::symbol, text_.substr(position_, length));
    position_ += length;
  }

  void balance(char c) {
    constexpr std::string_view kOpen = "([{", kClose = ")]}";
    if (kOpen.find(c) != std::string_view::npos) brackets_ += kClose[kOpen.find(c)];
    if (kClose.find(c) == std::string_view::npos) return;
    if (brackets_.empty()) fail_at(line_, "unexpected '", c, "'");
    if (brackets_.back() != c) fail_at(line_, "unexpected '", c, "', expected '", brackets_.back(), "'");
    brackets_.pop_back();
  }

  std::string text_;
  bool trims_;  ///< trim_blocks and lstrip_blocks
  std::size_t position_ = 0;
  int line_ = 1;
  bool starts_line_ = true;  ///< nothing but what was stripped stands between the last line end and here
  std::string brackets_;     ///< the closing ones that are due
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, Dialect dialect) {
  return Lexer(source, dialect).run();
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data:
      return "template text";
    case TokenKind::output_begin:
      return "'{{'";
    case TokenKind::output_end:
      return "'}}'";
    case TokenKind::block_begin:
      return "'{%'";
    case TokenKind::block_end:
      return "'%}'";
    case TokenKind::text:
      return "a string";
    case TokenKind::end:
      return "the end of the template";
    default:
      return "'" + token.text + "'";
  }
}

}  // namespace attune::text::jinja
