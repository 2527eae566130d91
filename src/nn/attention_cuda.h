// Attention on NVIDIA GPUs over the stream as it is, without padding, by the kernels that LibTorch brings: FlashAttention 2
// (Dao 2023) in half precision, the memory-efficient one (Rabe and Staats 2021) in float32.
#pragma once

#include "attune/nn/attention.h"

namespace attune::nn {

/// Whether these kernels know the call: no keyed dropout, no soft cap, no offsets of its own, head sizes and formats that
/// they take. Layouts must have been brought to the device.
bool ragged_possible(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                     const Layout& kv_layout, const AttentionSpec& spec);

/// attention() where ragged_possible(). The same bits again and again; nothing waits for the device.
at::Tensor attention_ragged(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                            const Layout& kv_layout, const AttentionSpec& spec);

}  // namespace attune::nn
