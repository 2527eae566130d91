// The wordings of a prompt set: every way in which it says the same.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "attune/prompt/options.h"

namespace attune::prompt {

/// One way to ask.
struct Wording {
  std::string name;  ///< "short/instruction=2/lower": a part for each factor that varies in the set; the only wording
                     ///< of a set is "default"
  /// Factor → level, of the factors that vary, for an analysis of variance. Variants of a text are numbered from 1
  /// inside their named wording.
  std::map<std::string, std::string> levels;

  std::string instruction, background, tone;
  std::string header, input, answer;  ///< templates
  std::string separator;
  std::string verbalizer;  ///< its name, for label_words(); "" where the set has none
  std::string letter_case = "as_is";
  std::string punctuation = ":";
  bool examples_first = false;
};

inline constexpr std::size_t kMostWordings = 10'000;

/// All combinations: of each named wording (in the file's order) the variants of its texts and of the rules, the last
/// factor fastest. Factors are wording, instruction, background, tone, header, input, answer, separator, case,
/// punctuation, order, verbalizer. Error{usage} for more than kMostWordings.
std::vector<Wording> wordings(const PromptSet& set);

/// Those of them that are named, in the set's order; all of them where no name is given. Error{usage} for a name that
/// the set has not.
std::vector<Wording> wordings(const PromptSet& set, const std::vector<std::string>& names);

}  // namespace attune::prompt
