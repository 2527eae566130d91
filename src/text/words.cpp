// See words.h.
#include "attune/text/words.h"

#include "attune/base/utf8.h"
#include "python_text.h"

namespace attune::text {

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
