// Runs the tokens of texts that the cache does not have yet.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "attune/models/model.h"
#include "key_value_cache.h"

namespace attune::infer {

/// A text that is being continued.
struct Row {
  std::vector<std::int32_t> ids;  ///< prompt and what was generated
  CachedText cached = {};         ///< of the model's virtual tokens and the first tokens of ids; see Passes::fresh
  /// Where ids are the beginning of a longer text whose length decides its rotary frequencies: a length that has these.
  std::int64_t text_length = 0;
};

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
  /// ascending; none of them = no output. The output is deferred (models::Input::defer_vocabulary).
  models::Output run(std::span<Row* const> rows, const std::vector<std::int64_t>& wanted);

  /// Texts of different classes have different rotary frequencies, so none of their keys in common. 0 for short texts,
  /// and where frequencies do not depend on the length; else a length, with the virtual tokens, that has the same ones.
  std::int64_t frequency_class(std::int64_t text_length) const;
  /// The keys before the first token of a text of this frequency class: those of the model's virtual tokens, which all
  /// such texts share. A row begins with them.
  CachedText fresh(std::int64_t text_class);
  /// The first `count` tokens of a text, and what stands before them.
  CachedText first_tokens(const CachedText& text, std::int64_t count) const {
    return beginning(text, virtual_ + count);
  }
  /// The keys of `text` that a text of `length` tokens which begins with the same `common` ones can use; empty = none.
  CachedText reusable(const CachedText& text, std::int64_t common, std::int64_t length) const;
  /// Tokens that are cached, the virtual ones before them not counted.
  std::int64_t cached_tokens(const CachedText& text) const { return text.length - virtual_; }

  /// Tokens that went through the network, embedded virtual ones among them.
  std::int64_t computed_tokens() const { return computed_; }

 private:
  std::int64_t length_of(const Row& row) const { return virtual_ + static_cast<std::int64_t>(row.ids.size()); }
  std::int64_t fresh_tokens(const Row& row) const { return length_of(row) - row.cached.length; }
  models::Input packed(std::span<Row* const> rows) const;
  bool has_virtual_keys() const;
  CachedText virtual_keys();
  CachedText embedded_tokens(std::int64_t text_class);
  models::Output pass(std::span<Row* const> rows, const std::vector<std::int64_t>& wanted, bool defers);
  void forget_other_frequencies(Row& row);

  const models::Model& model_;
  KeyValueCache cache_;
  std::int64_t virtual_ = 0;  ///< virtual tokens before every text
  CachedText before_;         ///< fresh() of the class below; of none yet where it has no tokens
  std::int64_t before_class_ = 0;
  std::int64_t computed_ = 0;
};

}  // namespace attune::infer
