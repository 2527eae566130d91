// Which training rows stand in front of the rows that are asked: worked out once for all ways to ask.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "attune/data/example.h"
#include "attune/prompt/examples.h"
#include "attune/prompt/options.h"

namespace attune::study {

class ExampleChoice {
 public:
  /// Of nothing.
  ExampleChoice() = default;
  /// No row of `pool` with the text of one of `asked`. `pool_vectors` [pool, n] and `asked_vectors` [asked, n]: of
  /// length 1, where examples go by similarity; else undefined. What the spans view must outlive it.
  ExampleChoice(std::span<const data::Example> pool, std::span<const data::Example> asked,
                const at::Tensor& pool_vectors, const at::Tensor& asked_vectors);

  /// Keeps rows with the texts of these out, too.
  void forbid_texts_of(std::span<const data::Example> rows) { pool_->forbid_texts_of(rows); }

  /// How many rows of the pool may stand in front of a row.
  std::size_t available() const { return pool_ ? pool_->allowed().size() : 0; }

  /// For the row `asked[i]`, as they stand.
  std::vector<const data::Example*> of(std::size_t i, const prompt::FewShotOptions& options) const;

 private:
  /// Of asked[i] to each of the pool; undefined without vectors.
  at::Tensor similarity(std::size_t i) const;

  std::optional<prompt::ExamplePool> pool_;
  std::span<const data::Example> asked_;
  at::Tensor pool_vectors_, asked_vectors_;
  at::Tensor similarities_;  ///< [asked, pool]; undefined where they would take too much memory
};

}  // namespace attune::study
