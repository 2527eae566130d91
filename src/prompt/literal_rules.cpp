// See literal_rules.h.
#include "literal_rules.h"

#include <string>

#include "attune/text/words.h"

namespace attune::prompt {

namespace {

std::string with_punctuation(const std::string& text, const std::string& punctuation) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool parts =
        text[i] == ':' && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\t' || text[i + 1] == '\n');
    if (parts) {
      out += punctuation;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

text::Template::LiteralMap literal_rule(const Wording& wording) {
  return [letter_case = wording.letter_case, punctuation = wording.punctuation](const std::string& literal) {
    const std::string cased = letter_case == "lower"   ? text::to_lower(literal)
                              : letter_case == "upper" ? text::to_upper(literal)
                                                       : literal;
    return with_punctuation(cased, punctuation);
  };
}

}  // namespace attune::prompt
