// Attention on devices without kernels of their own: the sequences of a stream are laid side by side, padded to the
// longest.
#pragma once

#include "attune/nn/attention.h"

namespace attune::nn {

/// attention() in operators that every device has. Nothing waits for the device.
at::Tensor attention_padded(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                            const Layout& kv_layout, const AttentionSpec& spec);

}  // namespace attune::nn
