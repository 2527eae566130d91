// Compares a fused function with its plain counterpart: values and all gradients, for every instruction set of this
// machine.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn_like.h>

#include <functional>
#include <string>
#include <vector>

#include "../../src/nn/kernels/kernels.h"
#include "catch.h"

namespace attune::nn::testing {

using Function = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// Largest difference in units of the largest wanted value (at least 1e-3).
inline double distance(const at::Tensor& got, const at::Tensor& want) {
  if (want.numel() == 0) return 0.0;
  const double scale = std::max(1e-3, want.abs().max().item<double>());
  const double worst = (got.to(at::kDouble) - want.to(at::kDouble)).abs().max().item<double>() / scale;
  return worst == worst ? worst : 1e30;  // NaN is far away
}

struct Run {
  at::Tensor value;
  std::vector<at::Tensor> gradients;  ///< undefined where none was asked for
};

/// One forward and backward pass; `wanted[i]` says whether input i asks for a gradient.
inline Run run(const Function& function, const std::vector<at::Tensor>& inputs, const std::vector<bool>& wanted,
               const at::Tensor& seed) {
  std::vector<at::Tensor> leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // A detached view keeps the strides of the input.
    leaves.push_back(inputs[i].defined() ? inputs[i].detach().requires_grad_(wanted[i]) : at::Tensor());
  }
  Run result{function(leaves), {}};
  if (result.value.requires_grad()) result.value.backward(seed.to(result.value.scalar_type()));
  for (const at::Tensor& leaf : leaves) result.gradients.push_back(leaf.defined() ? leaf.grad() : at::Tensor());
  return result;
}

/// Which inputs ask for gradients: all, none, and each alone.
inline std::vector<std::vector<bool>> gradient_patterns(std::size_t inputs) {
  std::vector<std::vector<bool>> patterns{std::vector<bool>(inputs, true), std::vector<bool>(inputs, false)};
  for (std::size_t i = 0; i < inputs; ++i) {
    patterns.emplace_back(inputs, false);
    patterns.back()[i] = true;
  }
  return patterns;
}

/// `plain` is computed in double precision.
inline void check_same(const Function& fused, const Function& plain, const std::vector<at::Tensor>& inputs,
                       double tolerance) {
  std::vector<at::Tensor> exact;
  for (const at::Tensor& x : inputs) exact.push_back(x.defined() ? x.to(at::kDouble) : x);
  for (const kernels::Table* table : kernels::tables()) {
    kernels::use(*table);
    for (const std::vector<bool>& wanted : gradient_patterns(inputs.size())) {
      const at::Tensor seed = at::randn_like(fused(inputs));
      const Run ours = run(fused, inputs, wanted, seed);
      const Run theirs = run(plain, exact, wanted, seed);
      INFO("kernels of " << table->name);
      CHECK(distance(ours.value, theirs.value) < tolerance);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        INFO("gradient of input " << i);
        REQUIRE(ours.gradients[i].defined() == theirs.gradients[i].defined());
        if (ours.gradients[i].defined()) CHECK(distance(ours.gradients[i], theirs.gradients[i]) < tolerance);
      }
    }
  }
  kernels::use(*kernels::tables().front());
}

}  // namespace attune::nn::testing
