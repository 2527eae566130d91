// Activations under their names in Transformers, fused with what surrounds them in feed-forward layers: a bias, or a
// second branch that the activation gates.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace attune::nn {

enum class Activation { gelu, gelu_tanh, quick_gelu, relu, silu, tanh };

/// "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "silu", "swish", "tanh"; Error{model}
/// for others.
Activation activation_by_name(const std::string& name);

at::Tensor activate(const at::Tensor& x, Activation activation);
/// activate(x + bias) in float32, rounded to the format of x; one pass forward and one backward where a fused kernel
/// exists.
at::Tensor bias_activate(const at::Tensor& x, const at::Tensor& bias, Activation activation);
/// activate(gate) · up, [T, F] each (SwiGLU, GeGLU: Shazeer 2020); the same, one pass forward and one backward.
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation);
/// cap · tanh(x / cap).
at::Tensor softcap(const at::Tensor& x, double cap);

}  // namespace attune::nn
