// Attention over packed streams. The only place that knows that sequences are separate; it alone picks a kernel, and
// every kernel is tested against attention_reference.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "attune/nn/dropout.h"
#include "attune/nn/layout.h"

namespace attune::nn {

struct AttentionSpec {
  bool causal = false;
  double scale = 1.0;       ///< multiplies q·k; 1/sqrt(head size) in most models
  DropoutSite dropout;      ///< on the probabilities; the feature index is head · 2^20 + key position in its sequence
  std::int64_t window = 0;  ///< a query sees keys that are less than this many tokens away; 0 = no limit
  double softcap = 0.0;     ///< scores become softcap · tanh(score / softcap); 0 = as they are
  /// One a sequence: query i stands where key i + offset stands. Empty: the queries are the last tokens of their
  /// sequence (offset = keys - queries), as they are behind a cache of past keys.
  std::vector<std::int32_t> offsets = {};
};

/// q [Tq, heads, d], k and v [Tk, key heads, d] → [Tq, heads, d] in the format of v; query head h reads key head
/// h · key heads / heads; softmax in float32. Differentiable. Rows of a dead segment come out as zeros. With pages in
/// kv_layout k and v are pools [rows, key heads, d]; no gradient flows into a pool.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                     const Layout& kv_layout, const AttentionSpec& spec);

/// The same in plain ATen operators, sequence by sequence.
at::Tensor attention_reference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                               const Layout& kv_layout, const AttentionSpec& spec);

}  // namespace attune::nn
