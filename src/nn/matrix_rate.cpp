// See matrix_rate.h.
#include "attune/nn/matrix_rate.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/outer.h>

#include <algorithm>
#include <limits>

#include "attune/base/clock.h"

namespace attune::nn {

namespace {

// Large enough that the rate no longer grows with the size.
constexpr std::int64_t kSizeOnCpu = 2048, kSizeOnGpu = 8192;
constexpr double kMeasuringSeconds = 0.3;
constexpr int kLeastRepeats = 3;

}  // namespace

MatrixRate matrix_rate(const at::Device& device, Precision precision) {
  const at::NoGradGuard no_grad;
  const std::int64_t n = device.is_cpu() ? kSizeOnCpu : kSizeOnGpu;
  const auto options =
      at::TensorOptions().dtype(precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat).device(device);
  // Of many values: a GPU multiplies matrices of one value faster than any real ones, because it needs less power for them.
  const at::Tensor values = at::arange(n, options.dtype(at::kFloat)).sin();
  const at::Tensor a = at::outer(values, values).to(options.dtype()), b = a.flip(0);
  at::Tensor product = at::empty({n, n}, options);
  const auto multiply = [&] {
    const Stopwatch clock;
    at::mm_out(product, a, b);
    product.select(0, 0).select(0, 0).item<float>();  // waits for a device that works on its own
    return clock.seconds();
  };
  multiply();  // the first call of a shape may compile a kernel
  double best = std::numeric_limits<double>::infinity();
  const Stopwatch clock;
  for (int i = 0; i < kLeastRepeats || clock.seconds() < kMeasuringSeconds; ++i) best = std::min(best, multiply());
  const auto size = static_cast<double>(n);
  return {.flops_per_second = 2 * size * size * size / best, .size = n};
}

}  // namespace attune::nn
