// See precision.h.
#include "attune/nn/precision.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <limits>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "attune/base/clock.h"
#include "attune/nn/linear.h"

namespace attune::nn {

namespace {

// The feed-forward layer of a base-size encoder over a batch of 1,024 tokens: the kind of product that dominates a
// step.
constexpr std::int64_t kTokens = 1024, kInputs = 768, kOutputs = 3072;
constexpr int kWarmUps = 2;  // oneDNN compiles a kernel at the first call of a shape
constexpr int kRepeats = 5;

bool has_instructions() {
#ifdef __x86_64__
  if (!__builtin_cpu_supports("avx512f")) return false;  // the system saves the registers, too
  if (__builtin_cpu_supports("avx512bf16")) return true;
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kAmxBf16 = 1u << 22;  // leaf 7, subleaf 0, edx; not every compiler has a name for it
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxBf16) != 0;
#else
  return false;
#endif
}

thread_local Precision current = Precision::float32;

double seconds_of(const at::Tensor& x, const Operand& weight, Precision precision) {
  const PrecisionGuard guard(precision);
  const Stopwatch clock;
  nn::linear(x, weight).select(0, 0).select(0, 0).item<float>();  // waits for a device that works on its own
  return clock.seconds();
}

}  // namespace

Precision current_precision() {
  return current;
}

PrecisionGuard::PrecisionGuard(Precision precision) : before_(current) {
  current = precision;
}

PrecisionGuard::~PrecisionGuard() {
  current = before_;
}

bool bfloat16_pays(const at::Device& device) {
  if (device.is_cpu() && !has_instructions()) return false;
  const at::NoGradGuard no_grad;
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  const at::Tensor x = at::ones({kTokens, kInputs}, options);
  const at::Tensor values = at::ones({kOutputs, kInputs}, options);
  const Operand weight(values, values.to(at::kBFloat16));  // models keep the copy, too
  double plain = std::numeric_limits<double>::infinity(), half = plain;
  for (int i = 0; i < kWarmUps + kRepeats;
       ++i) {  // in turns, so that a busy moment meets both; the best of each counts
    const double one = seconds_of(x, weight, Precision::float32), other = seconds_of(x, weight, Precision::bfloat16);
    if (i < kWarmUps) continue;
    plain = std::min(plain, one);
    half = std::min(half, other);
  }
  return half < plain;
}

}  // namespace attune::nn
