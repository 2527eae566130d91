// The parts of python_text.h that need Unicode's properties: upper and lower case, and the classes of characters.
#include <utf8proc.h>

#include <algorithm>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "python_unicode_tables.h"

namespace attune::text::jinja {

namespace {

using tables::CodeRange;

bool contains(std::span<const CodeRange> ranges, char32_t c) {
  const auto range = std::lower_bound(ranges.begin(), ranges.end(), c, [](const CodeRange& candidate, char32_t wanted) {
    return candidate.last < wanted;
  });
  return range != ranges.end() && range->first <= c;
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool is_letter(char32_t c) {
  const auto found = category(c);
  return found >= UTF8PROC_CATEGORY_LU && found <= UTF8PROC_CATEGORY_LO;
}

bool is_lower(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LL || contains(tables::lowercase, c);
}

bool is_upper(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LU || contains(tables::uppercase, c);
}

bool is_title(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LT;
}

bool is_cased(char32_t c) {
  return is_lower(c) || is_upper(c) || is_title(c);
}

bool is_case_ignorable(char32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return contains(tables::case_ignorable, c);
  }
}

bool is_decimal(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_digit(char32_t c) {
  return is_decimal(c) || contains(tables::digits, c);
}

bool is_numeric(char32_t c) {
  const auto found = category(c);
  return (found >= UTF8PROC_CATEGORY_ND && found <= UTF8PROC_CATEGORY_NO) || contains(tables::numerics, c);
}

const tables::SpecialCase* special_case(char32_t c) {
  const auto found = std::lower_bound(
      tables::special_cases.begin(), tables::special_cases.end(), c,
      [](const tables::SpecialCase& candidate, char32_t wanted) { return candidate.character < wanted; });
  return found != tables::special_cases.end() && found->character == c ? &*found : nullptr;
}

void append_all(std::string& out, const std::array<char32_t, 3>& characters) {
  for (const char32_t c : characters) {
    if (c != 0) append_utf8(out, c);
  }
}

void append_upper(std::string& out, char32_t c) {
  if (const auto* special = special_case(c)) return append_all(out, special->upper);
  append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
}

void append_title(std::string& out, char32_t c) {
  if (const auto* special = special_case(c)) return append_all(out, special->title);
  append_utf8(out, static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
}

/// Whether the sigma at `at` ends a word: a cased character stands before it and none behind it.
bool is_final_sigma(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  std::size_t behind = at + 1;
  while (behind < text.size() && is_case_ignorable(text[behind])) ++behind;
  return behind == text.size() || !is_cased(text[behind]);
}

void append_lower(std::string& out, std::u32string_view text, std::size_t at) {
  constexpr char32_t kSigma = 0x3a3, kDottedI = 0x130;
  const char32_t c = text[at];
  if (c == kDottedI) {
    out += "i\xcc\x87";
  } else if (c == kSigma) {
    append_utf8(out, is_final_sigma(text, at) ? U'ς' : U'σ');
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

}  // namespace

std::string to_upper(std::string_view text) {
  std::string out;
  for (std::size_t position = 0; position < text.size();) append_upper(out, next_code_point(text, position));
  return out;
}

std::string to_lower(std::string_view text) {
  const std::u32string characters = to_utf32(text);
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) append_lower(out, characters, i);
  return out;
}

std::string swap_case(std::string_view text) {
  const std::u32string characters = to_utf32(text);
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (is_upper(characters[i])) {
      append_lower(out, characters, i);
    } else if (is_lower(characters[i])) {
      append_upper(out, characters[i]);
    } else {
      append_utf8(out, characters[i]);
    }
  }
  return out;
}

std::string case_fold(std::string_view text) {
  std::string out;
  for (std::size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    utf8proc_int32_t folded[4];
    int boundary = 0;
    const auto count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded, 4, UTF8PROC_CASEFOLD, &boundary);
    for (utf8proc_ssize_t i = 0; i < count; ++i) append_utf8(out, static_cast<char32_t>(folded[i]));
  }
  return out;
}

std::string capitalized(std::string_view text) {
  const std::u32string characters = to_utf32(text);
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (i == 0) {
      append_title(out, characters[0]);
    } else {
      append_lower(out, characters, i);
    }
  }
  return out;
}

std::string titled(std::string_view text) {
  const std::u32string characters = to_utf32(text);
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (inside) {
      append_lower(out, characters, i);
    } else {
      append_title(out, characters[i]);
    }
    inside = is_cased(characters[i]);
  }
  return out;
}

bool is_printable(char32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_ZS:
      return c == U' ';
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
      return false;
    default:
      return true;
  }
}

namespace {

bool is_word_part(char32_t c) {
  const auto found = category(c);
  return is_letter(c) || found == UTF8PROC_CATEGORY_NL || found == UTF8PROC_CATEGORY_ND ||
         found == UTF8PROC_CATEGORY_MN || found == UTF8PROC_CATEGORY_MC || found == UTF8PROC_CATEGORY_PC;
}

bool is_identifier(std::u32string_view text) {
  const char32_t first = text.front();
  if (!is_letter(first) && category(first) != UTF8PROC_CATEGORY_NL && first != U'_') return false;
  return std::all_of(text.begin(), text.end(), is_word_part);
}

/// islower (isupper): a cased character is there, and none of the other case.
bool has_one_case(std::u32string_view text, bool (*wanted)(char32_t), bool (*other)(char32_t)) {
  bool found = false;
  for (const char32_t c : text) {
    if (other(c) || is_title(c)) return false;
    found = found || wanted(c);
  }
  return found;
}

bool is_title_cased(std::u32string_view text) {
  bool found = false, inside = false;
  for (const char32_t c : text) {
    if ((is_upper(c) || is_title(c)) ? inside : (is_lower(c) && !inside)) return false;
    inside = is_cased(c);
    found = found || inside;
  }
  return found;
}

bool is_alnum(char32_t c) {
  return is_letter(c) || is_numeric(c);
}

}  // namespace

bool is_word(char32_t c) {
  return is_alnum(c) || c == U'_';
}

bool is_class(std::string_view text, TextClass wanted) {
  const std::u32string characters = to_utf32(text);
  const auto all = [&](bool (*holds)(char32_t)) { return std::all_of(characters.begin(), characters.end(), holds); };
  if (characters.empty()) return wanted == TextClass::ascii || wanted == TextClass::printable;
  switch (wanted) {
    case TextClass::alnum:
      return all(is_alnum);
    case TextClass::alpha:
      return all(is_letter);
    case TextClass::ascii:
      return characters.size() == text.size();
    case TextClass::decimal:
      return all(is_decimal);
    case TextClass::digit:
      return all(is_digit);
    case TextClass::identifier:
      return is_identifier(characters);
    case TextClass::lower:
      return has_one_case(characters, is_lower, is_upper);
    case TextClass::numeric:
      return all(is_numeric);
    case TextClass::printable:
      return all(is_printable);
    case TextClass::space:
      return all(is_space);
    case TextClass::title:
      return is_title_cased(characters);
    case TextClass::upper:
      return has_one_case(characters, is_upper, is_lower);
  }
  return false;
}

}  // namespace attune::text::jinja
