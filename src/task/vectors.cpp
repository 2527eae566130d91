// Pooling and the linear head of vectors.h.
#include "attune/task/vectors.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "task/common.h"

namespace attune::task {

namespace {

/// [sequences, T]: row i is 1 / length on the tokens of sequence i, 0 elsewhere.
at::Tensor averaging(const nn::Layout& layout) {
  const at::Tensor matrix = at::zeros({layout.sequences(), layout.total}, at::kFloat);
  auto* values = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    const float share = 1.0F / static_cast<float>(layout.length(i));
    std::fill_n(values + i * layout.total + layout.cu_seqlens[i], layout.length(i), share);
  }
  return matrix;
}

at::Tensor first_rows(const nn::Layout& layout) {
  return long_tensor({layout.cu_seqlens.begin(), layout.cu_seqlens.end() - 1});
}

/// Classification whose logits come from a head that is no part of the model.
class HeadedClassification : public Task {
 public:
  HeadedClassification(std::unique_ptr<Task> classification, VectorHead head)
      : inner_(std::move(classification)), head_(std::move(head)) {}

  std::vector<Encoded> encode(std::span<const data::Example> examples,
                              const text::Tokenizer& tokenizer) const override {
    return inner_->encode(examples, tokenizer);
  }
  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    return inner_->collate(rows, key);
  }
  double loss_weight(const Encoded& row, const BatchKey& key) const override { return inner_->loss_weight(row, key); }
  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    return inner_->loss(classified(output, batch), batch);
  }
  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    return inner_->predict(classified(output, batch), batch);
  }
  std::vector<std::string> metric_names() const override { return inner_->metric_names(); }
  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions,
                                 std::span<const data::Example> examples) const override {
    return inner_->scores(predictions, examples);
  }
  files::Json describe(std::span<const Prediction> windows, const data::Example& example,
                       bool with_logits) const override {
    return inner_->describe(windows, example, with_logits);
  }

 private:
  models::Output classified(const models::Output& output, const Batch& batch) const {
    const at::Tensor vectors = pooled(output.logits, batch.input.layout, head_.pooling);
    const auto there = [&](const at::Tensor& x) { return x.to(vectors.device()); };
    return {.logits = at::addmm(there(head_.bias), vectors, there(head_.weight).t()), .pooled = {}};
  }

  std::unique_ptr<Task> inner_;
  VectorHead head_;
};

}  // namespace

at::Tensor pooled(const at::Tensor& hidden, const nn::Layout& layout, const Pooling& pooling) {
  const at::Tensor states = hidden.to(at::kFloat);
  const at::Tensor vectors = pooling.first_token ? at::index_select(states, 0, first_rows(layout).to(states.device()))
                                                 : at::matmul(averaging(layout).to(states.device()), states);
  if (!pooling.normalize) return vectors;
  constexpr double kLeastNorm = 1e-12;  // of torch.nn.functional.normalize
  return vectors / at::linalg_vector_norm(vectors, 2, at::IntArrayRef{1}, /*keepdim=*/true).clamp_min(kLeastNorm);
}

std::unique_ptr<Task> with_head(std::unique_ptr<Task> classification, VectorHead head) {
  return std::make_unique<HeadedClassification>(std::move(classification), std::move(head));
}

}  // namespace attune::task
