// Attention over packed streams. The only place that knows that sequences are separate; it alone picks a kernel, and
// every kernel is tested against attention_reference.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "attune/nn/dropout.h"
#include "attune/nn/layout.h"

namespace attune::nn {

struct AttentionSpec {
  bool causal = false;
  double scale = 1.0;   ///< multiplies q·k; 1/sqrt(head size) in most models
  DropoutSite dropout;  ///< on the probabilities; the feature index is head · 2^20 + key position in its sequence
};

/// q [Tq, heads, d], k and v [Tk, heads, d] → [Tq, heads, d]. Differentiable. Rows of a dead segment come out as zeros.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                     const Layout& kv_layout, const AttentionSpec& spec);

/// The same in plain ATen operators, sequence by sequence.
at::Tensor attention_reference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                               const Layout& kv_layout, const AttentionSpec& spec);

}  // namespace attune::nn
