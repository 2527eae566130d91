// See bleu_tokenizers.h. Each pass is one of the substitutions of the scripts, which do not overlap.
#include "bleu_tokenizers.h"

#include <string_view>

#include "python_text.h"

namespace attune::metrics {
namespace {

void replace_all(std::u32string& text, std::u32string_view from, std::u32string_view to) {
  for (std::size_t at = text.find(from); at != std::u32string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

bool digit(char32_t c) {
  return c >= '0' && c <= '9';
}

bool period_or_comma(char32_t c) {
  return c == '.' || c == ',';
}

/// ASCII punctuation but ' , - . and the blank.
bool v13a_symbol(char32_t c) {
  return c == ' ' || (is_ascii_punctuation(c) && c != '\'' && c != ',' && c != '-' && c != '.');
}

enum class Of { first, second };  ///< the character of a pair that gets blanks around it

/// Wherever two characters meet `first` and `second`.
template <typename First, typename Second>
std::u32string set_apart(const std::u32string& text, First first, Second second, Of which) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    if (which == Of::first) out += U' ';
    out += text[i];
    out += U' ';
    out += text[++i];
    if (which == Of::second) out += U' ';
  }
  return out;
}

template <typename Symbol>
std::u32string set_apart(const std::u32string& text, Symbol symbol) {
  std::u32string out;
  for (const char32_t c : text) {
    if (symbol(c)) {
      out += U' ';
      out += c;
      out += U' ';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::u32string set_apart_13a(std::u32string text) {
  replace_all(text, U"<skipped>", U"");
  replace_all(text, U"-\n", U"");
  replace_all(text, U"\n", U" ");
  replace_all(text, U"&quot;", U"\"");
  replace_all(text, U"&amp;", U"&");
  replace_all(text, U"&lt;", U"<");
  replace_all(text, U"&gt;", U">");
  const auto other = [](char32_t c) { return !digit(c); };
  text = set_apart(U' ' + text + U' ', v13a_symbol);
  text = set_apart(text, other, period_or_comma, Of::second);
  text = set_apart(text, period_or_comma, other, Of::first);
  return set_apart(text, digit, [](char32_t c) { return c == '-'; }, Of::second);
}

std::u32string set_apart_international(std::u32string text) {
  const auto other = [](char32_t c) { return !is_number(c); };
  text = set_apart(text, other, is_punctuation, Of::second);
  text = set_apart(text, is_punctuation, other, Of::first);
  return set_apart(text, is_symbol);
}

}  // namespace attune::metrics
