// See example_choice.h.
#include "attune/study/example_choice.h"

#include <ATen/TensorOperators.h>

#include <cstdint>

namespace attune::study {

namespace {

/// Similarities that are kept at once: 256 MiB.
constexpr std::int64_t kMostSimilarities = std::int64_t{64} << 20;

}  // namespace

ExampleChoice::ExampleChoice(std::span<const data::Example> pool, std::span<const data::Example> asked,
                             const at::Tensor& pool_vectors, const at::Tensor& asked_vectors)
    : pool_(pool), asked_(asked), pool_vectors_(pool_vectors), asked_vectors_(asked_vectors) {
  pool_->forbid_texts_of(asked);
  if (!asked_vectors_.defined() || asked_vectors_.size(0) * pool_vectors_.size(0) > kMostSimilarities) return;
  similarities_ = asked_vectors_.mm(pool_vectors_.t()).contiguous();
}

at::Tensor ExampleChoice::similarity(std::size_t i) const {
  const auto row = static_cast<std::int64_t>(i);
  if (similarities_.defined()) return similarities_[row];
  return asked_vectors_.defined() ? pool_vectors_.mv(asked_vectors_[row]) : at::Tensor();
}

std::vector<const data::Example*> ExampleChoice::of(std::size_t i, const prompt::FewShotOptions& options) const {
  if (options.k == 0) return {};
  const at::Tensor to_pool = similarity(i);
  std::span<const float> values;
  if (to_pool.defined()) values = {to_pool.const_data_ptr<float>(), static_cast<std::size_t>(to_pool.numel())};
  return prompt::examples_at(*pool_, prompt::choose_examples(*pool_, asked_[i], options, values));
}

}  // namespace attune::study
