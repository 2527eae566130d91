// See attention.h.
#include "attune/nn/attention.h"

namespace attune::nn {

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                     const Layout& kv_layout, const AttentionSpec& spec) {
  return attention_reference(q, k, v, q_layout, kv_layout, spec);
}

}  // namespace attune::nn
