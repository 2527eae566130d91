// See python_text.h.
#include "python_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace attune::metrics {
namespace {

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool between(utf8proc_category_t of, utf8proc_category_t first, utf8proc_category_t last) {
  return of >= first && of <= last;
}

/// Unicode's Cased: letters with case, and what else it lists as having case (Other_Lowercase, Other_Uppercase); its
/// modifier letters are missing here, since case_ignorable() comes first.
bool cased(char32_t c) {
  constexpr std::pair<char32_t, char32_t> others[] = {{0xAA, 0xAA},       {0xBA, 0xBA},       {0x2160, 0x217F},
                                                      {0x24B6, 0x24E9},   {0x1F130, 0x1F149}, {0x1F150, 0x1F169},
                                                      {0x1F170, 0x1F189}};
  return between(category(c), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LT) ||
         std::any_of(std::begin(others), std::end(others),
                     [&](const auto& range) { return c >= range.first && c <= range.second; });
}

/// Unicode's Case_Ignorable: marks, format characters, modifiers, and the punctuation that stands within words.
bool case_ignorable(char32_t c) {
  constexpr std::u32string_view within_words = U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027"
                                               U"\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  const auto of = category(c);
  return of == UTF8PROC_CATEGORY_MN || of == UTF8PROC_CATEGORY_ME || of == UTF8PROC_CATEGORY_CF ||
         of == UTF8PROC_CATEGORY_LM || of == UTF8PROC_CATEGORY_SK || within_words.find(c) != within_words.npos;
}

/// Σ becomes ς at the end of a word: a cased letter before it, none after (Unicode 3.13, Final_Sigma).
bool is_final_sigma(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && case_ignorable(text[before - 1])) --before;
  if (before == 0 || !cased(text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && case_ignorable(text[after])) ++after;
  return after == text.size() || !cased(text[after]);
}

}  // namespace

std::u32string lower(std::u32string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == U'Σ') {
      out += is_final_sigma(text, i) ? U'ς' : U'σ';
    } else if (c == U'İ') {
      out += U"i\u0307";  // the one letter whose lower case is two code points
    } else {
      out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    }
  }
  return out;
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 ||
         between(category(c), UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZP);
}

std::vector<std::u32string_view> split_white_space(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && !is_white_space(text[end])) ++end;
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool is_letter(char32_t c) {
  return between(category(c), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO);
}

bool is_number(char32_t c) {
  return between(category(c), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO);
}

bool is_punctuation(char32_t c) {
  return between(category(c), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO);
}

bool is_symbol(char32_t c) {
  return between(category(c), UTF8PROC_CATEGORY_SM, UTF8PROC_CATEGORY_SO);
}

}  // namespace attune::metrics
