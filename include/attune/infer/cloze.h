// How likely a masked language model holds words in the gaps of texts (cloze questions: Schick & Schütze 2021).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "attune/models/model.h"

namespace attune::infer {

struct ClozeText {
  std::vector<std::int32_t> ids;                 ///< with the special tokens, and mask tokens in the gaps
  std::vector<std::int64_t> masks;               ///< where the mask tokens stand, ascending
  std::vector<std::vector<std::int32_t>> words;  ///< candidates, each as many tokens as there are masks
};

/// log p of each token of each word in its mask, [texts][words][masks], natural logarithms. All masks are filled at
/// once: the tokens of a word do not see each other. `stops`: asked after each pass with the number of texts that are
/// complete; yes: the others stay without scores. Error{model} when the model is no masked LM; Error{data} naming the
/// text for ids beyond the vocabulary and for one longer than the positions; Error{diverged} for scores that are no
/// numbers.
std::vector<std::vector<std::vector<double>>> cloze_likelihoods(const models::Model& model,
                                                                std::span<const ClozeText> texts,
                                                                const std::function<bool(std::size_t)>& stops = {});

}  // namespace attune::infer
