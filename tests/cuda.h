// The GPU for tests tagged [cuda]; they say so and end where there is none. The CPU's results are the yardstick: they are
// tested against the references elsewhere.
#pragma once

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <string>

#include "catch.h"

#define ATTUNE_NEEDS_GPU()                                                                 \
  if (!at::hasCUDA()) {                                                                    \
    WARN("skipped: there is no GPU, or LibTorch's CUDA part is not linked (ATTUNE_CUDA)"); \
    return;                                                                                \
  }                                                                                        \
  static_assert(true)

namespace attune::testing {

inline at::Device gpu() {
  return {at::kCUDA, 0};
}

inline at::Tensor on_gpu(const at::Tensor& x) {
  return x.defined() ? x.to(gpu()) : x;
}

/// ‖got - want‖ / ‖want‖ in double; huge where a value is not finite or the shapes differ.
inline double off_by(const at::Tensor& got, const at::Tensor& want) {
  if (!got.sizes().equals(want.sizes())) return 1e30;
  const at::Tensor exact = want.detach().cpu().to(at::kDouble);
  const double difference = (got.detach().cpu().to(at::kDouble) - exact).norm().item<double>();
  const double off = difference / std::max(exact.norm().item<double>(), 1e-30);
  return off == off ? (difference == 0 ? 0 : off) : 1e30;
}

}  // namespace attune::testing
