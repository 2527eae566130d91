// What is wrong with a prompt set beyond the types of its values.
#pragma once

#include <string>
#include <vector>

#include "attune/prompt/options.h"

namespace attune::prompt {

struct Flaw {
  std::string key;   ///< "wordings[1].input", "label_words.yes"
  std::string what;  ///< what was found and what was expected
  std::string hint;  ///< what to do; may be empty
};

/// Everything that is wrong: templates that Jinja refuses or that name what they are not given, lists that are empty or
/// hold something twice, label words that are empty or shared, names that occur twice, assertions that say nothing or
/// cannot be met, regular expressions that are none.
std::vector<Flaw> flaws(const PromptSet& set);

}  // namespace attune::prompt
