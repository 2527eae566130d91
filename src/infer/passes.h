// Runs the tokens of texts that the cache does not have yet.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "attune/models/model.h"
#include "key_value_cache.h"

namespace attune::infer {

/// A text that is being continued.
struct Row {
  std::vector<std::int32_t> ids;  ///< prompt and what was generated
  CachedText cached;              ///< of the model's virtual tokens and the first tokens of ids
  /// Where ids are the beginning of a longer text whose length decides its rotary frequencies: a length that has these.
  std::int64_t text_length = 0;
};

/// Texts of different classes have different rotary frequencies, so none of their keys in common. 0 for short texts,
/// and where frequencies do not depend on the length; else a length with the same frequencies.
std::int64_t frequency_class(const models::ModelSpec& spec, std::int64_t length);

/// log p(ids[k]) in row rows[k] of the wanted ones, float32 [K] on the CPU. rows ascending, both int64 [K] on the CPU.
/// Error{diverged} for a score that is no number.
at::Tensor log_probabilities(const models::Output& output, const at::Tensor& rows, const at::Tensor& ids);

class Passes {
 public:
  /// New tokens in one pass; what is beyond that waits for the next, which bounds the memory of hidden states.
  static constexpr std::int64_t kPassTokens = 4096;

  explicit Passes(const models::Model& model);

  /// Scores of what follows each row: float32 [rows, vocab] on the CPU. Afterwards all tokens of the rows are cached.
  at::Tensor next_logits(std::span<Row* const> rows);

  /// The tokens of all rows go through the network together, and are cached afterwards. `wanted`: the rows of the
  /// packed stream of tokens that the cache does not have (one row of `rows` after another) whose logits are wanted,
  /// ascending; none of them = no output. The output is deferred (models::Input::defer_vocabulary). Embedded virtual
  /// tokens that are not cached come first in the stream.
  models::Output run(std::span<Row* const> rows, const std::vector<std::int64_t>& wanted);

  /// Of a text that nothing is known of: the keys that virtual tokens bring.
  CachedText fresh() const { return before_; }
  /// The keys of `text` that a text of `length` tokens which begins with the same `common` ones can use.
  CachedText reusable(const CachedText& text, std::int64_t common, std::int64_t length) const;

  /// Tokens of texts, virtual ones before them not counted, that are cached.
  std::int64_t cached_tokens(const CachedText& text) const { return std::max<std::int64_t>(0, text.length - virtual_); }

  std::int64_t computed_tokens() const { return computed_; }

 private:
  std::int64_t length_of(const Row& row) const { return virtual_ + static_cast<std::int64_t>(row.ids.size()); }
  std::int64_t fresh_tokens(const Row& row) const { return length_of(row) - row.cached.length; }
  models::Input packed(std::span<Row* const> rows) const;
  void cache_virtual_keys();
  models::Output pass(std::span<Row* const> rows, const std::vector<std::int64_t>& wanted, bool defers);
  void forget_other_frequencies(Row& row) const;

  const models::Model& model_;
  KeyValueCache cache_;
  std::int64_t virtual_ = 0;  ///< virtual tokens before every text
  CachedText before_;         ///< the keys and values that stand for them; nothing where they go through the network
  std::int64_t computed_ = 0;
};

}  // namespace attune::infer
