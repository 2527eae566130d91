// Ruby's regular expressions (as Oniguruma reads them) rewritten for PCRE2. Character classes become explicit code
// points; what the two engines read differently and we do not translate is refused by name.
#include <cctype>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include "attune/base/strings.h"
#include "attune/text/unicode.h"
#include "pattern.h"

namespace attune::text {

namespace {

[[noreturn]] void unsupported(const std::string& what) {
  throw std::invalid_argument(what);
}

/// The members of a bracket for a set: \x{41}-\x{5a}…
std::string members(const unicode::CodeSet& set) {
  std::string out;
  char buffer[40];
  for (const auto& range : set) {
    const auto first = static_cast<unsigned>(range.first), last = static_cast<unsigned>(range.last);
    out.append(buffer, static_cast<std::size_t>(
                           first == last ? std::snprintf(buffer, sizeof buffer, "\\x{%x}", first)
                                         : std::snprintf(buffer, sizeof buffer, "\\x{%x}-\\x{%x}", first, last)));
  }
  return out;
}

class Translator {
 public:
  explicit Translator(std::string_view source) : source_(source) {}

  std::string run() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        bracket();
      } else if (c == '(') {
        group();
      } else if (c == '{') {
        interval();
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  bool next_is(std::string_view text) const { return source_.substr(at_).starts_with(text); }

  /// Behind a backslash: the set of a class escape (\p{…}, \w, …), or nothing, with the position unchanged.
  std::optional<unicode::CodeSet> class_escape() {
    const char letter = peek();
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (lower == 'p' && peek(1) == '{') return property();
    if (letter == '\0' || std::string_view("wsdh").find(lower) == std::string_view::npos) return std::nullopt;
    ++at_;
    const unicode::CodeSet set = unicode::escape_set(lower);
    return letter == lower ? set : unicode::complement(set);
  }

  unicode::CodeSet property() {
    const std::size_t end = source_.find('}', at_);
    if (end == std::string_view::npos) unsupported("'\\p{' without '}'");
    std::string_view name = source_.substr(at_ + 2, end - at_ - 2);
    bool negated = peek() == 'P';
    if (name.starts_with("^")) {
      negated = !negated;
      name.remove_prefix(1);
    }
    const unicode::CodeSet set = name.empty() ? unicode::CodeSet{} : unicode::category_set(name);
    if (set.empty()) unsupported(concat("the property '\\p{", name, "}'"));
    at_ = end + 1;
    return negated ? unicode::complement(set) : set;
  }

  /// Behind a backslash: one character, written so that PCRE2 reads the same.
  std::string character_escape() {
    const char c = peek();
    ++at_;
    if (c == '\0') unsupported("a backslash at the end");
    if (c == 'v') return "\\x{b}";
    if (std::string_view("nrtfae").find(c) != std::string_view::npos) return {'\\', c};
    if (c == 'x' && peek() == '{') return code_point(source_.find('}', at_), 1);
    if (c == 'x' && peek() < '8') return code_point(at_ + 2, 0);
    if (c == 'u') return code_point(at_ + 4, 0);
    if (std::isalnum(static_cast<unsigned char>(c))) unsupported(concat("'\\", c, "'"));
    return {'\\', c};
  }

  /// Hexadecimal digits up to `end`, of which the braces are no part.
  std::string code_point(std::size_t end, std::size_t braces) {
    if (end == std::string_view::npos || end > source_.size()) unsupported("a code point that does not end");
    const std::string_view digits = source_.substr(at_ + braces, end - at_ - braces);
    if (digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      unsupported(concat("the code point '", digits, "'"));
    }
    at_ = end + braces;
    return concat("\\x{", digits, "}");
  }

  void escape() {
    ++at_;
    if (const auto set = class_escape()) {
      out_ += "[" + members(*set) + "]";
    } else if (peek() == 'b' || peek() == 'B') {
      const std::string word = "[" + members(unicode::escape_set('w')) + "]";
      const bool boundary = peek() == 'b';
      out_ += "(?:(?<=" + word + ")(?" + (boundary ? "!" : "=") + word + ")|(?<!" + word + ")(?" +
              (boundary ? "=" : "!") + word + "))";
      ++at_;
    } else if (peek() == 'A' || peek() == 'z' || peek() == 'Z') {
      out_ += {'\\', peek()};
      ++at_;
    } else {
      out_ += character_escape();
    }
  }

  void bracket() {
    out_ += '[';
    ++at_;
    if (peek() == '^') {
      out_ += '^';
      ++at_;
    }
    if (peek() == ']') unsupported("a class that begins with ']'");
    while (peek() != ']') {
      if (at_ >= source_.size()) unsupported("'[' without ']'");
      if (peek() == '[') unsupported("a class inside a class");
      if (next_is("&&")) unsupported("'&&' in a class");
      if (peek() != '\\') {
        out_ += source_[at_++];
        continue;
      }
      ++at_;
      const auto set = class_escape();
      out_ += set ? members(*set) : character_escape();
    }
    out_ += ']';
    ++at_;
  }

  void group() {
    constexpr std::string_view kKnown[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:", "(?-i:"};
    if (peek(1) != '?') {
      out_ += '(';
      ++at_;
      return;
    }
    for (const std::string_view known : kKnown) {
      if (!next_is(known)) continue;
      out_ += known;
      at_ += known.size();
      return;
    }
    unsupported(concat("the group '", source_.substr(at_, 4), "'"));
  }

  /// {n,m}, which Ruby also writes {,m}. A brace that opens no interval is literal in both engines.
  void interval() {
    const std::size_t end = source_.find_first_not_of("0123456789,", at_ + 1);
    const bool is_interval = end != std::string_view::npos && source_[end] == '}' && end > at_ + 1;
    if (!is_interval) {
      out_ += "\\{";
      ++at_;
      return;
    }
    const std::string_view bounds = source_.substr(at_ + 1, end - at_ - 1);
    const char behind = end + 1 < source_.size() ? source_[end + 1] : '\0';
    if (behind == '+') unsupported(concat("'{", bounds, "}+', which Ruby reads as a repeated repetition"));
    if (behind == '?' && bounds.find(',') == std::string_view::npos) unsupported(concat("'{", bounds, "}?'"));
    out_ += concat("{", bounds.starts_with(",") ? "0" : "", bounds, "}");
    at_ = end + 1;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string translate_regex(std::string_view ruby) {
  return Translator(ruby).run();
}

}  // namespace attune::text
