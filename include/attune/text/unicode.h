// What the reference library thinks of each code point. Its parts were built with different Unicode versions, so the
// tables are measured (scripts/make_unicode_tables.py); the system's Unicode libraries would give other answers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace attune::text::unicode {

/// General categories as the regex engine of the reference (Oniguruma 6.9.10, Unicode 16) knows them; Cn has no ranges.
enum class Category : std::uint8_t {
  Lu,
  Ll,
  Lt,
  Lm,
  Lo,
  Mn,
  Mc,
  Me,
  Nd,
  Nl,
  No,
  Pc,
  Pd,
  Ps,
  Pe,
  Pi,
  Pf,
  Po,
  Sm,
  Sc,
  Sk,
  So,
  Zs,
  Zl,
  Zp,
  Cc,
  Cf,
  Co,
  Cn
};

/// First and last code point, both included.
struct CodeRange {
  char32_t first;
  char32_t last;
  bool operator==(const CodeRange&) const = default;
};
using CodeSet = std::vector<CodeRange>;  ///< sorted, disjoint, not touching

/// \p{name} of the regex engine: a category ("Lu"), a group of them ("L", "P", …) or "" with no ranges when unknown.
CodeSet category_set(std::string_view name);
/// \w, \s, \d and \h (hexadecimal digit) of the regex engine, by their letter.
CodeSet escape_set(char letter);
/// All code points (surrogates aside) that are not in `set`.
CodeSet complement(const CodeSet& set);

/// Properties of one code point, as bits; properties() is one load from a table.
enum Property : std::uint16_t {
  white_space = 1,        ///< Rust's char::is_whitespace
  numeric = 2,            ///< Rust's char::is_numeric
  word = 4,               ///< \w of Rust's regex library
  bert_control = 8,       ///< what BertNormalizer's clean_text drops
  bert_punctuation = 16,  ///< what BertPreTokenizer and Punctuation split at
  bert_mark = 32,         ///< what BertNormalizer's strip_accents drops
  has_lowercase = 64,     ///< to_lowercase changes it
  normalizes = 128,       ///< NFD or NFKD changes it, or it is a combining character
  regex_letter = 256,     ///< \p{L} of the regex engine
  regex_number = 512,     ///< \p{N} of the regex engine
  nfc_unstable = 1024,    ///< a text with it may change under NFC; without any it does not
};
std::uint16_t properties(char32_t c);
inline bool has(char32_t c, Property property) {
  return (properties(c) & property) != 0;
}

/// The script as the pre-tokeniser UnicodeScripts groups them (kana count as Han): equal numbers, equal groups. 0 fits
/// all.
std::uint8_t script_group(char32_t c);
/// A combining mark (M*) as StripAccents sees it.
bool is_combining_mark(char32_t c);
/// One of the blocks that BertNormalizer puts blanks around (as the reference has them, gaps included).
bool is_bert_chinese(char32_t c);
/// Rust's char::to_lowercase; U+0130 alone gives two code points, and the second is stored in `second` (else 0).
char32_t to_lowercase(char32_t c, char32_t& second);

enum class Form { nfc, nfd, nfkc, nfkd };

/// A code point of normalised text and how it came about, which decides the alignment: 0 = it stands for the next code
/// point of the source, 1 = it was inserted, -n = it stands for the next one, and n more behind that one are gone.
struct Tagged {
  char32_t character;
  int change;
};
std::vector<Tagged> normalize(std::string_view text, Form form);

}  // namespace attune::text::unicode
