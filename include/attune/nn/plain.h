// The fused kernels' mathematics in plain ATen operators: what every kernel is tested against, and what runs where no
// kernel exists (other devices, other dtypes). Attention's counterpart is attention_reference in attention.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/nn/activation.h"
#include "attune/nn/dropout.h"
#include "attune/nn/rotary.h"

namespace attune::nn::plain {

at::Tensor dropout(const at::Tensor& x, const DropoutSite& site);
at::Tensor layer_norm_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              const DropoutSite& site);
at::Tensor bias_dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                            const DropoutSite& site, const at::Tensor& weight,
                                            const at::Tensor& norm_bias, double epsilon);
at::Tensor bias_activate(const at::Tensor& x, const at::Tensor& bias, Activation activation);
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset);
at::Tensor rotate(const at::Tensor& x, const RotaryTable& table);
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation);

}  // namespace attune::nn::plain
