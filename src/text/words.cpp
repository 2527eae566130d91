// See words.h.
#include "attune/text/words.h"

#include "attune/base/utf8.h"
#include "attune/text/unicode.h"
#include "python_text.h"

namespace attune::text {

std::string to_lower(std::string_view text) {
  return jinja::to_lower(text);
}

std::string to_upper(std::string_view text) {
  return jinja::to_upper(text);
}

std::string plain_words(std::string_view text) {
  const std::string lower = to_lower(text);
  std::string words;
  bool parts = false;
  for (std::size_t i = 0; i < lower.size();) {
    const char32_t c = next_code_point(lower, i);
    if (c == '_' || !unicode::has(c, unicode::word)) {
      parts = !words.empty();
      continue;
    }
    if (parts) words += ' ';
    parts = false;
    append_utf8(words, c);
  }
  return words;
}

std::size_t find_words(std::string_view text, std::string_view words, std::size_t from) {
  if (words.empty()) return std::string_view::npos;
  for (std::size_t at = text.find(words, from); at != std::string_view::npos; at = text.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    const bool is_whole = (at == 0 || text[at - 1] == ' ') && (end == text.size() || text[end] == ' ');
    if (is_whole) return at;
  }
  return std::string_view::npos;
}

std::vector<std::string> lower_case_words(std::string_view text) {
  const std::string lower = jinja::to_lower(text);
  std::vector<std::string> words;
  for (std::size_t position = 0; position < lower.size();) {
    const std::size_t begin = position;
    std::size_t end = position, characters = 0;
    while (position < lower.size() && jinja::is_word(next_code_point(lower, position))) {
      end = position;
      ++characters;
    }
    if (characters >= 2) words.push_back(lower.substr(begin, end - begin));
  }
  return words;
}

}  // namespace attune::text
