// See gemm.h.
#include "gemm.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <c10/util/Exception.h>

namespace at::native {
/// LibTorch's own door to oneDNN: result = alpha · mat1 · mat2 + beta · result. No header declares it; where a LibTorch does not let it
/// be seen, its address is null.
__attribute__((weak)) void mkldnn_matmul(const Tensor& mat1, const Tensor& mat2, const Tensor& result, float beta, float alpha);
}  // namespace at::native

namespace attune::nn::gemm {

namespace {

/// Smaller products take less time than finding a kernel for their shape.
constexpr std::int64_t kWorthALookup = std::int64_t{1} << 24;

bool cpu_prefers_onednn() {
#ifdef __x86_64__
  static const bool prefers = __builtin_cpu_is("amd") != 0 && __builtin_cpu_supports("avx512f") != 0 && has_onednn();
  return prefers;
#else
  return false;
#endif
}

/// A LibTorch without oneDNN, or one whose door is for other formats only, throws.
bool computes_float() {
  constexpr std::int64_t kSize = 16;
  const at::NoGradGuard no_grad;
  const at::Tensor a = at::ones({kSize, kSize}), result = at::ones({kSize, kSize});
  try {
    onednn_mm(result, a, a.t(), /*accumulate=*/true, 0.5);
  } catch (const c10::Error&) {
    return false;
  }
  return result.eq(0.5 * kSize + 1.0).all().item<bool>();
}

/// Rows or columns lie close together.
bool is_plain(const at::Tensor& x) {
  const bool by_rows = x.stride(1) == 1 && x.stride(0) == x.size(1);
  const bool by_columns = x.stride(0) == 1 && x.stride(1) == x.size(0);
  return by_rows || by_columns;
}

bool is_onednns(const at::Tensor& a, const at::Tensor& b) {
  return a.dim() == 2 && b.dim() == 2 && a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat && a.is_cpu() && b.is_cpu() &&
         a.size(1) == b.size(0) && prefers_onednn(a.size(0) * a.size(1) * b.size(1)) && is_plain(a) && is_plain(b);
}

}  // namespace

bool has_onednn() {
  static const bool has = at::native::mkldnn_matmul != nullptr && computes_float();
  return has;
}

bool prefers_onednn(std::int64_t multiplications) { return multiplications >= kWorthALookup && cpu_prefers_onednn(); }

void onednn_mm(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, bool accumulate, double scale) {
  at::native::mkldnn_matmul(a, b, result, accumulate ? 1.0f : 0.0f, static_cast<float>(scale));
}

at::Tensor mm(const at::Tensor& a, const at::Tensor& b) {
  if (!is_onednns(a, b)) return at::mm(a, b);
  const at::Tensor result = at::empty({a.size(0), b.size(1)}, a.options());
  onednn_mm(result, a, b, /*accumulate=*/false, 1.0);
  return result;
}

void mm_into(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) {
  if (is_onednns(a, b) && result.is_contiguous()) {
    onednn_mm(result, a, b, /*accumulate=*/false, 1.0);
  } else {
    at::Tensor into = result;
    at::mm_out(into, a, b);
  }
}

void add_mm(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, double scale) {
  if (is_onednns(a, b) && result.is_contiguous()) {
    onednn_mm(result, a, b, /*accumulate=*/true, scale);
  } else {
    result.addmm_(a, b, 1, scale);
  }
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  const at::Tensor transposed = weight.t();
  if (!is_onednns(x, transposed)) return at::linear(x, weight, bias);
  const at::Tensor y = gemm::mm(x, transposed);
  return bias.has_value() && bias->defined() ? y.add_(*bias) : y;
}

}  // namespace attune::nn::gemm
