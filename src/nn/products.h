// What the matrix products of linear layers and of adapters share: formats, orientation, where a gradient goes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "attune/nn/precision.h"
#include "fused.h"
#include "gemm.h"

namespace attune::nn::products {

/// The format in which a product with x is computed.
inline at::ScalarType type_of(const at::Tensor& x) {
  if (current_precision() == Precision::bfloat16) return at::kBFloat16;
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

inline std::optional<at::Tensor> in_type(const std::optional<at::Tensor>& x, at::ScalarType type) {
  return x.has_value() ? std::optional<at::Tensor>(x->to(type)) : std::nullopt;
}

/// How a weight is stored: [out, in], or [in, out].
enum class Orientation : std::int64_t { linear, conv1d };

/// The weight as at::linear reads it.
inline at::Tensor as_linear(const at::Tensor& weight, Orientation orientation) {
  return orientation == Orientation::linear ? weight : weight.t();
}

/// The gradient a · b of a weight: undefined where it was added to the weight's preset gradient.
inline at::Tensor gradient(const at::Tensor& a, const at::Tensor& b, const at::Tensor& weight) {
  const at::Tensor preset = fused::preset_gradient(weight);
  if (!preset.defined()) return gemm::mm(a, b);
  if (preset.scalar_type() == a.scalar_type()) {
    gemm::add_mm(preset, a, b);
  } else {
    fused::add_to(preset, gemm::mm(a, b));
  }
  return {};
}

}  // namespace attune::nn::products
