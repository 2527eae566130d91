// The weight of a matrix product, and its copy for products in bfloat16.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace attune::nn {

/// Products in bfloat16 read the copy where somebody keeps one, instead of rounding the weight at each pass. Whoever changes
/// the values changes the copy (models::Model::set_values, tensor::ParameterArena).
struct Weight {
  Weight() = default;
  Weight(at::Tensor exact, at::Tensor copy = {}) : values(std::move(exact)), rounded(std::move(copy)) {}

  at::Tensor values;   ///< in any floating format
  at::Tensor rounded;  ///< the same in bfloat16; undefined, or of another shape: there is none

  bool defined() const { return values.defined(); }
  /// The values in the format of a product, without a graph.
  at::Tensor in(at::ScalarType type) const {
    const bool is_kept = type == at::kBFloat16 && rounded.defined() && rounded.sizes() == values.sizes();
    return is_kept ? rounded : values.detach().to(type);
  }
};

}  // namespace attune::nn
