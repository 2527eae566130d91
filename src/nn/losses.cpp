// See losses.h.
#include "attune/nn/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/ones.h>

#include "attune/base/error.h"
#include "attune/tensor/device.h"
#include "fused.h"

namespace attune::nn {

namespace {

/// x beside `other`: on its device, in its format.
at::Tensor beside(const at::Tensor& x, const at::Tensor& other) {
  return tensor::on_device(x, other.device()).to(other.scalar_type());
}

/// Σ w·loss over rows × columns; `losses` is [N] or [N, C], a row's weight counts for each of its columns.
LossSum weighted_elements(const at::Tensor& losses, const at::Tensor& row_weights) {
  if (!row_weights.defined()) return {losses.sum(), static_cast<double>(losses.numel())};
  const at::Tensor weights = beside(row_weights, losses);
  const std::int64_t columns = losses.dim() == 2 ? losses.size(1) : 1;
  const at::Tensor shaped = losses.dim() == 2 ? weights.unsqueeze(1) : weights;
  return {(losses * shaped).sum(), weights.sum(at::kDouble) * static_cast<double>(columns)};
}

}  // namespace

LossSum cross_entropy(const at::Tensor& logits, const at::Tensor& given_labels, const at::Tensor& class_weights,
                      const at::Tensor& row_weights, double label_smoothing) {
  if (logits.dim() != 2 || given_labels.dim() != 1 || given_labels.size(0) != logits.size(0)) {
    internal_error("cross_entropy: logits [N, C] and labels [N] are needed");
  }
  const at::Tensor labels = tensor::on_device(given_labels, logits.device());
  const at::Tensor active = labels != kIgnoreIndex;
  const at::Tensor target = labels.masked_fill(active.logical_not(), 0);
  const at::Tensor log_p = at::log_softmax(fused::at_least_float(logits), 1);

  // Ignored rows may hold anything (dead rows of the stream), so they are replaced, not multiplied by zero.
  const auto per_row = [&](const at::Tensor& x) { return x.masked_fill(active.logical_not(), 0.0); };
  at::Tensor weight = active.to(log_p.scalar_type());
  const at::Tensor per_class = class_weights.defined() ? beside(class_weights, log_p) : class_weights;
  if (per_class.defined()) weight = weight * per_class.index_select(0, target);
  at::Tensor nll = -log_p.gather(1, target.unsqueeze(1)).squeeze(1);
  at::Tensor loss = per_row(nll) * weight;
  if (label_smoothing > 0.0) {
    // As torch does it, a class's weight also weighs its share of the smoothed part.
    at::Tensor uniform = per_class.defined() ? -(log_p * per_class) : -log_p;
    loss = (1.0 - label_smoothing) * loss + label_smoothing * per_row(uniform.mean(1));
  }
  if (row_weights.defined()) {
    const at::Tensor rows = per_row(beside(row_weights, log_p));
    loss = loss * rows;
    weight = weight * rows;
  }
  return {loss.sum(), weight.sum(at::kDouble)};
}

LossSum binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& row_weights) {
  const at::Tensor x = fused::at_least_float(logits);
  const at::Tensor losses =
      at::binary_cross_entropy_with_logits(x, beside(targets, x), {}, {}, at::Reduction::None);
  return weighted_elements(losses, row_weights);
}

LossSum squared_error(const at::Tensor& predictions, const at::Tensor& targets, const at::Tensor& row_weights) {
  if (predictions.sizes() != targets.sizes()) internal_error("squared_error: two tensors of one shape are needed");
  const at::Tensor x = fused::at_least_float(predictions);
  return weighted_elements(at::mse_loss(x, beside(targets, x), at::Reduction::None), row_weights);
}

}  // namespace attune::nn
