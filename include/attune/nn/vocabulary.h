// The product of hidden rows with a long vocabulary, and the cross-entropy over it. Logits [N, V] of a real batch are
// larger than everything else in a step, so the loss makes, uses and forgets them for some rows at a time, and once
// only: their gradients, but for a factor, are worked out beside the loss. Nothing here knows tasks: rows whose label is
// kIgnoreIndex are left out, the rest is the plain formula of nn::cross_entropy.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/nn/losses.h"
#include "attune/nn/operand.h"
#include "attune/nn/precision.h"

namespace attune::nn {

/// Logits that were not multiplied out: softcap(x · weightᵀ + bias).
struct Vocabulary {
  at::Tensor x;       ///< [N, H]
  Operand weight;     ///< [V, H]
  at::Tensor bias;    ///< [V], or undefined
  double softcap = 0.0;  ///< 0 = none
  Precision precision = Precision::float32;

  bool defined() const { return x.defined(); }
};

/// All logits [N, V], differentiable.
at::Tensor vocabulary_logits(const Vocabulary& vocabulary);

/// cross_entropy(vocabulary_logits(v), labels, {}, row_weights, label_smoothing), in chunks of rows. labels int64 [N],
/// row_weights [N] or undefined; labels on the CPU save waiting for another device. The gradient of `weight` is added to
/// its preset `.grad` where there is one.
LossSum vocabulary_cross_entropy(const Vocabulary& vocabulary, const at::Tensor& labels, const at::Tensor& row_weights,
                                 double label_smoothing);

/// log p(ids[k]) in row rows[k], float32 [K] on the CPU, without a graph. rows int64 [K], ascending, and ids int64 [K] lie
/// on the CPU; a row's logits are made once for all its ids, those of some rows at a time.
at::Tensor vocabulary_log_probabilities(const Vocabulary& vocabulary, const at::Tensor& rows, const at::Tensor& ids);
/// The same of logits [N, V] that were multiplied out.
at::Tensor log_probabilities(const at::Tensor& logits, const at::Tensor& rows, const at::Tensor& ids);

/// Losses of single rows, float [N] on the device of x; 0 for a row that is ignored.
struct RowLosses {
  at::Tensor nll;       ///< -log p(label)
  at::Tensor smoothed;  ///< the loss under label smoothing; nll itself without
};
/// Of logits [N, V] that were multiplied out. Without a graph.
RowLosses row_losses(const at::Tensor& logits, const at::Tensor& labels, double label_smoothing);
/// Without a graph.
RowLosses vocabulary_losses(const Vocabulary& vocabulary, const at::Tensor& labels, double label_smoothing);

}  // namespace attune::nn
