// Losses as Σ w·loss and Σ w, so that micro-batches, packing and processes never change the mean (docs/architecture.md,
// rule 6).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace attune::nn {

struct LossSum {
  at::Tensor sum;     ///< scalar, differentiable: Σ w·loss
  double weight = 0;  ///< Σ w
};

constexpr std::int64_t kIgnoreIndex = -100;

/// logits [N, C], labels int64 [N] (-100 ignored), class_weights [C] or undefined, row_weights [N] or undefined.
/// label_smoothing ε as in Transformers' LabelSmoother: (1-ε)·nll + ε·mean over classes of -log p.
LossSum cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& class_weights,
                      const at::Tensor& row_weights, double label_smoothing);
/// BCEWithLogits, mean over rows × labels; targets float [N, C].
LossSum binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& row_weights);
/// Mean squared error; predictions and targets [N] or [N, C].
LossSum squared_error(const at::Tensor& predictions, const at::Tensor& targets, const at::Tensor& row_weights);

}  // namespace attune::nn
