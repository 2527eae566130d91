// What happens to a row of scores before a token is taken from it: Transformers' logits processors and warpers, in its
// order and with its formulas.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/base/random.h"
#include "attune/infer/options.h"

namespace attune::infer {

class LogitsProcessors {
 public:
  /// `prompt`: tokens of ids that were not generated.
  LogitsProcessors(const GenerationOptions& options, std::int64_t prompt);

  /// scores [vocab]: logits, or with beams their log softmax. `ids`: prompt and what was generated. What must not be
  /// taken becomes -inf.
  void apply(std::span<float> scores, std::span<const std::int32_t> ids) const;

 private:
  void penalise_repetition(std::span<float> scores, std::span<const std::int32_t> ids) const;
  void forbid_repeated_ngrams(std::span<float> scores, std::span<const std::int32_t> ids) const;
  void forbid_end(std::span<float> scores) const;
  void keep_top_k(std::span<float> scores) const;
  void keep_top_p(std::span<float> scores) const;
  void keep_min_p(std::span<float> scores) const;

  const GenerationOptions& options_;
  std::int64_t prompt_;
  std::int64_t kept_at_least_;  ///< warpers leave so many tokens: with beams one more than there are end tokens
};

/// scores - log Σ e^scores, in place.
void log_softmax(std::span<float> scores);

/// The first of the largest. Error{diverged} where one is NaN or all are -inf.
std::int64_t most_likely(std::span<const float> scores);
/// One by softmax(scores): where the i-th uniform number of `key` falls. Errors as most_likely.
std::int64_t draw(std::span<const float> scores, const RandomKey& key, std::uint64_t i);

}  // namespace attune::infer
