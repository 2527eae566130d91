// What the autograd functions around the fused kernels share.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <type_traits>

#include "attune/nn/dropout.h"
#include "dropout_hash.h"
#include "kernels/kernels.h"

namespace attune::nn::fused {

/// x in float32, unless it is float64 (gradient checks) or undefined: norms, activations and losses are computed no lower.
at::Tensor at_least_float(const at::Tensor& x);

/// x as the kernels read what products made: float32 and bfloat16 as they are, others in float32.
at::Tensor readable(const at::Tensor& x);
/// body(T{}) for the kernels' name of the format of something that readable() gave.
template <class Body>
void with_format(at::ScalarType format, const Body& body) {
  if (format == at::kBFloat16) return body(kernels::BFloat16{});
  body(float{});
}
template <class Body>
void with_format(const at::Tensor& x, const Body& body) {
  with_format(x.scalar_type(), body);
}

/// All defined tensors lie on the CPU in float32 or in a format that widens to it, bfloat16 or float16.
bool possible(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors);
/// Autograd is recording and one of the tensors asks for a gradient.
bool recording(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors);

/// The preset gradient of a parameter into which a gradient like `weight` may be added in place; undefined otherwise.
at::Tensor preset_gradient(const at::Tensor& weight);

/// A site's keys for all rows, worked out once for forward and backward.
struct SiteKeys {
  SiteKeys() = default;
  explicit SiteKeys(const DropoutSite& site);
  kernels::Drop drop() const;

  std::vector<std::uint64_t> row_keys;
  double p = 0.0;
};

/// body(begin, end) over [0, n) on all threads; `work` is the number of elements behind one index.
void parallel(std::int64_t n, std::int64_t work, const std::function<void(std::int64_t, std::int64_t)>& body);

/// [live, …] → [total, …]: the rows behind the live ones are zeros. Not differentiable.
at::Tensor with_dead_rows(const at::Tensor& live, std::int64_t total);

/// Autograd functions take an input that may be undefined as an optional one; it then has no place among the inputs
/// that needs_input_grad counts.
std::optional<at::Tensor> optional(const at::Tensor& x);

/// Null for an undefined tensor.
template <class T = float>
const T* data(const at::Tensor& x) {
  if (!x.defined()) return nullptr;
  if constexpr (std::is_same_v<T, float>) {
    return x.const_data_ptr<float>();
  } else {
    return reinterpret_cast<const T*>(x.const_data_ptr<at::BFloat16>());
  }
}
template <class T = float>
T* mutable_data(const at::Tensor& x) {
  if (!x.defined()) return nullptr;
  if constexpr (std::is_same_v<T, float>) {
    return x.mutable_data_ptr<float>();
  } else {
    return reinterpret_cast<T*>(x.mutable_data_ptr<at::BFloat16>());
  }
}

/// sum += x, in one pass where x is bfloat16 and sum float32.
void add_to(const at::Tensor& sum, const at::Tensor& x);

/// Σ over blocks of partials [blocks, …], in their order.
at::Tensor sum_blocks(const at::Tensor& partials);
/// Σ over rows of x [rows, columns], at least float32; on the CPU the same bits for any number of threads.
at::Tensor column_sums(const at::Tensor& x);

}  // namespace attune::nn::fused
