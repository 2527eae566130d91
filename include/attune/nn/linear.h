// Matrix products and table look-ups whose backward adds the weight's gradient straight into its .grad slice when that
// is preset (docs/architecture.md, rule 8): no temporary of the weight's size is made. Weights may be held in any
// floating format.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/nn/dropout.h"
#include "attune/nn/operand.h"

namespace attune::nn {

/// x [T, in] · weight[out, in]ᵀ + bias [out] → [T, out] in the format of current_precision() (precision.h; float64
/// operands stay float64, for gradient checks); bias may be undefined (then a fused kernel that follows adds it).
/// Gradients have the formats of what they belong to.
at::Tensor linear(const Operand& x, const Operand& weight, const at::Tensor& bias = {});

/// The same for a weight stored the other way round, [in, out], as GPT-2's Conv1D layers have it.
at::Tensor conv1d(const Operand& x, const Operand& weight, const at::Tensor& bias = {});

/// What an adapter adds to a linear layer: scale · B A drop(x) (Hu et al. 2021).
struct LowRankTerm {
  at::Tensor a;  ///< [r, in]
  at::Tensor b;  ///< [out, r]
  double scale = 1.0;
  DropoutSite dropout;  ///< of x
};

/// linear() and conv1d() with the term added, forward and backward in one: x [T, in] → [T, out]. Of a frozen weight nothing
/// is kept for backward but x, which A's gradient needs.
at::Tensor linear(const Operand& x, const Operand& weight, const at::Tensor& bias, const LowRankTerm& term);
at::Tensor conv1d(const Operand& x, const Operand& weight, const at::Tensor& bias, const LowRankTerm& term);

/// weight[ids]: ids int64 [T], weight [V, H] → [T, H], float32. The gradient is summed in the order of the stream: the
/// same bits for any number of threads. The row `padding_id` is read but gets no gradient (torch.nn.Embedding's
/// padding_idx; -1: none).
at::Tensor embedding(const at::Tensor& ids, const at::Tensor& weight, std::int64_t padding_id = -1);

}  // namespace attune::nn
