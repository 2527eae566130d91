// The number format of matrix products and attention. In bfloat16 their operands and results are rounded; what trains,
// its gradients, sums over the residual stream, norms, softmax, losses and the optimiser stay float32, as under the
// reference trainer's bf16 (autocast).
//
// It is a property of a whole pass, so layers do not hand it on: it holds in a scope of the calling thread, as
// autograd's modes do. Backward follows the forward pass that it belongs to, whatever holds when it runs.
#pragma once

#include <ATen/core/Tensor.h>

namespace attune::nn {

enum class Precision { float32, bfloat16 };

/// float32, unless a PrecisionGuard lives on this thread.
Precision current_precision();

/// The precision of everything that nn computes on this thread while the object lives.
class PrecisionGuard {
 public:
  explicit PrecisionGuard(Precision precision);
  ~PrecisionGuard();
  PrecisionGuard(const PrecisionGuard&) = delete;
  PrecisionGuard& operator=(const PrecisionGuard&) = delete;

 private:
  Precision before_;
};

/// Whether matrix products of a training step are faster in bfloat16: the processor has instructions for them (AMX-BF16
/// or AVX512-BF16; any CUDA device) and a measurement of some tenths of a second agrees. Answers may differ between two
/// calls on a busy machine: ask once a run.
bool bfloat16_pays(const at::Device& device);

}  // namespace attune::nn
