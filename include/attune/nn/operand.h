// What matrix products read: a tensor and, where somebody keeps one, its copy in bfloat16.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace attune::nn {

/// Products in bfloat16 read the copy instead of rounding the values at each pass. Whoever changes the values changes the
/// copy: of a weight models::Model::set_values, tensor::ParameterArena and the optimisers over it.
struct Operand {
  Operand() = default;
  Operand(at::Tensor exact, at::Tensor copy = {}) : values(std::move(exact)), rounded(std::move(copy)) {}

  at::Tensor values;   ///< in any floating format; gradients are its own
  at::Tensor rounded;  ///< the same in bfloat16; undefined, or of another shape: there is none

  bool defined() const { return values.defined(); }
  /// The values in the format of a product, without a graph.
  at::Tensor in(at::ScalarType type) const {
    const bool is_kept = type == at::kBFloat16 && rounded.defined() && rounded.sizes() == values.sizes();
    return is_kept ? rounded : values.detach().to(type);
  }
};

/// x for several products: rounded once where current_precision() has them in bfloat16.
Operand shared(const at::Tensor& x);

}  // namespace attune::nn
