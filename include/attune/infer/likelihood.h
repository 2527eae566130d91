// How likely a causal language model holds texts: log probabilities of their tokens, each given those before it. Texts
// are scored together as a trie: a beginning that several share goes through the network once, and a last token, from
// which nothing follows, not at all. Virtual tokens of the model stand before all texts and go through it once. What a
// text gets does not depend on its neighbours but for rounding (1e-5).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "attune/models/model.h"

namespace attune::infer {

struct TextToScore {
  std::vector<std::int32_t> ids;
  std::int64_t from = 1;  ///< tokens [from, end) are scored; at least 1, for nothing stands before the first token
};

struct Likelihoods {
  std::vector<std::vector<double>> log_probabilities;  ///< [texts][ids - from], natural logarithms
  std::int64_t tokens = 0;                             ///< of all texts
  std::int64_t computed_tokens = 0;                    ///< that went through the network, virtual ones among them
};

struct ScoringOptions {
  std::int64_t cache_bytes = std::int64_t{512}
                             << 20;  ///< of keys and values, about; less means more blocks that share less
  /// Asked between passes with the number of texts that are complete; yes: the others stay without scores.
  std::function<bool(std::size_t complete)> stops = {};
};

/// Error{model} when the model is no causal LM; Error{data} for an id beyond the vocabulary and for a text longer than
/// learnt positions, naming it by its number; Error{diverged} for scores that are no numbers.
Likelihoods likelihoods(const models::Model& model, std::span<const TextToScore> texts,
                        const ScoringOptions& options = {});

}  // namespace attune::infer
