// Losses as Σ w·loss and Σ w, so that micro-batches, packing and processes never change the mean (docs/architecture.md,
// rule 6).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace attune::nn {

/// Σ w: a number, or a scalar on the device of the loss that is fetched when the number is asked for. Training never asks,
/// so that it need not wait for the device.
class LossWeight {
 public:
  LossWeight(double value = 0) : value_(value) {}
  LossWeight(const at::Tensor& sum) : sum_(sum) {}
  operator double() const { return sum_.defined() ? sum_.item<double>() : value_; }

 private:
  double value_ = 0;
  at::Tensor sum_;
};

struct LossSum {
  at::Tensor sum;          ///< scalar, differentiable: Σ w·loss
  LossWeight weight = {};  ///< Σ w
};

constexpr std::int64_t kIgnoreIndex = -100;

/// logits [N, C], labels int64 [N] (-100 ignored), class_weights [C] or undefined, row_weights [N] or undefined; all but
/// the logits may lie on the CPU.
/// label_smoothing ε as in Transformers' LabelSmoother: (1-ε)·nll + ε·mean over classes of -log p.
LossSum cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& class_weights,
                      const at::Tensor& row_weights, double label_smoothing);
/// BCEWithLogits, mean over rows × labels; targets float [N, C], which may lie on the CPU, as row_weights may.
LossSum binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& row_weights);
/// Mean squared error; predictions and targets [N] or [N, C]; the targets may lie on the CPU.
LossSum squared_error(const at::Tensor& predictions, const at::Tensor& targets, const at::Tensor& row_weights);

}  // namespace attune::nn
