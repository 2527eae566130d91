// See scanner.h. tests/text/scanner_test.cpp holds the scanners against the regex engine.
#include "scanner.h"

#include <array>

#include "attune/base/utf8.h"
#include "attune/text/unicode.h"

namespace attune::text {

namespace {

enum Kind : unsigned char { other, letter, number, space };

Kind kind_of(char32_t c) {
  const std::uint16_t bits = unicode::properties(c);
  if ((bits & unicode::regex_letter) != 0) return letter;
  if ((bits & unicode::regex_number) != 0) return number;
  return (bits & unicode::white_space) != 0 ? space : other;
}

constexpr std::array<Kind, 128> kAscii = [] {
  std::array<Kind, 128> kinds{};
  for (unsigned c = 'a'; c <= 'z'; ++c) kinds[c] = kinds[c - 'a' + 'A'] = letter;
  for (unsigned c = '0'; c <= '9'; ++c) kinds[c] = number;
  for (const unsigned c : {'\t', '\n', '\v', '\f', '\r', ' '}) kinds[c] = space;
  return kinds;
}();

/// A place in the text with the kind of the character there.
class Cursor {
 public:
  Cursor(std::string_view text, std::size_t at) : text_(text), at_(at) { look(); }

  bool at_end() const { return at_ == text_.size(); }
  bool at(Kind kind) const { return !at_end() && kind_ == kind; }
  bool at_break() const { return !at_end() && (text_[at_] == '\r' || text_[at_] == '\n'); }
  void step() {
    at_ = next_;
    look();
  }
  void skip(Kind kind) {
    while (at(kind)) step();
  }
  std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }

 private:
  void look() {
    next_ = at_;
    if (at_end()) return;
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte < 0x80) {
      ++next_;
      kind_ = kAscii[byte];
    } else {
      kind_ = kind_of(next_code_point(text_, next_));
    }
  }

  std::string_view text_;
  std::size_t at_;
  std::size_t next_ = 0;
  Kind kind_ = other;
};

/// \s+(?!\S)|\s+ : a run of white space, without its last character where something follows (unless that is all of it).
std::uint32_t scan_space(std::string_view text, std::uint32_t begin) {
  Cursor cursor(text, begin);
  std::uint32_t last = begin;
  while (cursor.at(space)) {
    last = cursor.position();
    cursor.step();
  }
  return cursor.at_end() || last == begin ? cursor.position() : last;
}

/// 's|'t|'re|'ve|'m|'ll|'d at `begin`: bytes that match, or 0.
std::uint32_t scan_contraction(std::string_view text, std::uint32_t begin) {
  const std::string_view rest = text.substr(begin);
  if (rest.size() < 2 || rest[0] != '\'') return 0;
  switch (rest[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2;
    case 'r':
    case 'v':
      return rest.size() > 2 && rest[2] == 'e' ? 3 : 0;
    case 'l':
      return rest.size() > 2 && rest[2] == 'l' ? 3 : 0;
    default:
      return 0;
  }
}

/// The same without regard to case, which by Unicode's rules takes in U+017F (long s).
std::uint32_t scan_contraction_any_case(std::string_view text, std::uint32_t begin) {
  constexpr std::string_view kLongS = "'\xc5\xbf";
  if (text.substr(begin).starts_with(kLongS)) return kLongS.size();
  std::array<char, 3> lower{};
  const std::string_view rest = text.substr(begin, lower.size());
  for (std::size_t i = 0; i < rest.size(); ++i) {
    lower[i] = rest[i] >= 'A' && rest[i] <= 'Z' ? static_cast<char>(rest[i] - 'A' + 'a') : rest[i];
  }
  return scan_contraction({lower.data(), rest.size()}, 0);
}

/// \s*[\r\n]+ : up to the last line break of the run of white space at `begin`, or `begin` when it has none.
std::uint32_t scan_breaks(std::string_view text, std::uint32_t begin) {
  std::uint32_t end = begin;
  for (Cursor cursor(text, begin); cursor.at(space);) {
    const bool is_break = cursor.at_break();
    cursor.step();
    if (is_break) end = cursor.position();
  }
  return end;
}

/// The pattern of cl100k and its successors, which differ in how many digits make a piece.
template <int max_digits>
std::uint32_t scan_cl100k(std::string_view text, std::uint32_t begin) {
  if (const std::uint32_t length = scan_contraction_any_case(text, begin)) return begin + length;
  Cursor cursor(text, begin);
  if (cursor.at(number)) {
    for (int n = 0; n < max_digits && cursor.at(number); ++n) cursor.step();
    return cursor.position();
  }
  Cursor behind = cursor;  // behind one character that may stand in front of letters
  if (!cursor.at(letter) && !cursor.at_break()) behind.step();
  if (behind.at(letter)) {
    behind.skip(letter);
    return behind.position();
  }
  Cursor symbols = text[begin] == ' ' ? behind : cursor;
  if (symbols.at(other)) {
    symbols.skip(other);
    while (symbols.at_break()) symbols.step();
    return symbols.position();
  }
  const std::uint32_t breaks = scan_breaks(text, begin);
  return breaks > begin ? breaks : scan_space(text, begin);
}

struct KnownPattern {
  std::string_view pattern;
  Scanner scanner;
};
constexpr KnownPattern kKnown[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", scan_gpt2},
    // cl100k, Llama 3
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scan_cl100k<3>},
    // Qwen 2, 2.5 and 3
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scan_cl100k<1>},
};

}  // namespace

std::uint32_t scan_gpt2(std::string_view text, std::uint32_t begin) {
  if (const std::uint32_t length = scan_contraction(text, begin)) return begin + length;
  Cursor cursor(text, begin);
  if (text[begin] == ' ') cursor.step();
  for (const Kind kind : {letter, number, other}) {
    if (!cursor.at(kind)) continue;
    cursor.skip(kind);
    return cursor.position();
  }
  return scan_space(text, begin);
}

Scanner find_scanner(std::string_view pattern) {
  for (const KnownPattern& known : kKnown) {
    if (known.pattern == pattern) return known.scanner;
  }
  return nullptr;
}

}  // namespace attune::text
