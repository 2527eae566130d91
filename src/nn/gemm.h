// Products of matrices by whichever of LibTorch's libraries is the faster on this CPU. In float32 LibTorch asks its BLAS, which in
// its wheels is MKL; of MKL's kernels an AMD processor gets those for AVX2, while oneDNN's for AVX-512 are about a
// tenth faster there (bench/bench_kernels.cpp). Which library computes follows from the CPU and the shapes alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace attune::nn::gemm {

/// a [M, K] · b [K, N], of one format; a and b may be transposed views.
at::Tensor mm(const at::Tensor& a, const at::Tensor& b);

/// The same into result [M, N].
void mm_into(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b);

/// result [M, N] += scale · a · b.
void add_mm(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, double scale = 1.0);

/// x [..., in] · weight [out, in]ᵀ + bias [out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias);

/// Whether LibTorch's oneDNN can be asked for float32 products, on whatever CPU.
bool has_onednn();
/// Whether products of this size in float32 are oneDNN's on this CPU: one that the other library is slower on, and large enough for
/// its own kernel to be worth a look-up.
bool prefers_onednn(std::int64_t multiplications);
/// result = a · b, or += with `accumulate`, by oneDNN.
void onednn_mm(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, bool accumulate, double scale);

}  // namespace attune::nn::gemm
