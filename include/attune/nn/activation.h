// Activations under their names in Transformers, and the fused bias + GELU of feed-forward layers.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace attune::nn {

enum class Activation { gelu, gelu_tanh, quick_gelu, relu, silu, tanh };

/// "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "silu", "swish", "tanh"; Error{model}
/// for others.
Activation activation_by_name(const std::string& name);

at::Tensor activate(const at::Tensor& x, Activation activation);
/// activate(x + bias), one pass forward and one backward where a fused kernel exists (gelu on the CPU).
at::Tensor bias_activate(const at::Tensor& x, const at::Tensor& bias, Activation activation);

}  // namespace attune::nn
