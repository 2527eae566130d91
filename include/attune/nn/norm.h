// LayerNorm and RMSNorm over the last dimension (population variance, epsilon inside the root).
// The form that also adds bias, dropout and residual is in dropout.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/nn/dropout.h"

namespace attune::nn {

/// x [T, H], weight and bias [H] → [T, H]. Differentiable in all three.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon);
/// dropout(layer_norm(x)): the end of an embedding stage.
at::Tensor layer_norm_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              const DropoutSite& site);
/// x / √(mean(x²) + epsilon) · (weight + offset): RMSNorm (Zhang and Sennrich 2019); Gemma's weights are stored less 1
/// (offset 1). x […, H], weight [H] → […, H]. Differentiable in both.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset = 0.0);

}  // namespace attune::nn
