// Words that stand for labels, and generated answers read as labels.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/prompt/options.h"

namespace attune::prompt {

struct LabelWords {
  std::vector<std::string> labels;
  std::vector<std::vector<std::string>> words;  ///< by label, at least one each; the first is shown in examples
};

/// The words of `labels` (by id): those that the verbalizer of this name gives (Wording::verbalizer; "": none), else
/// those of the set, else the label's name with blanks for underscores. Error{usage} for words of a label that there is
/// not, with the nearest, and for two labels that have a word in common.
LabelWords label_words(const PromptSet& set, const std::vector<std::string>& labels,
                       const std::string& verbalizer = "");

/// The label (by id) that an answer names, or nothing. First the word that the whole answer is; then without regard to
/// case, punctuation and blanks the same; then the longest word that the answer begins with; then the one label of
/// which a word occurs in it (as whole words, and not only inside a longer word of another label). Where two labels fit
/// equally well there is none.
std::optional<std::size_t> parse_answer(std::string_view answer, const LabelWords& words);

}  // namespace attune::prompt
