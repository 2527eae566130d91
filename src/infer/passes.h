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
  CachedText cached;              ///< of the first tokens of ids
};

class Passes {
 public:
  explicit Passes(const models::Model& model) : model_(model), cache_(model) {}

  /// Scores of what follows each row: float32 [rows, vocab] on the CPU. Afterwards all tokens of the rows are cached.
  at::Tensor next_logits(std::span<Row* const> rows);

  /// The keys of `text` that a text of `length` tokens which begins with the same `common` ones can use.
  CachedText reusable(const CachedText& text, std::int64_t common, std::int64_t length) const;

  std::int64_t computed_tokens() const { return computed_; }

 private:
  at::Tensor pass(std::span<Row* const> rows);
  void forget_other_frequencies(Row& row) const;

  const models::Model& model_;
  KeyValueCache cache_;
  std::int64_t computed_ = 0;
};

}  // namespace attune::infer
