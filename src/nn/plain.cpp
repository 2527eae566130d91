// See plain.h.
#include "attune/nn/plain.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>

#include "attune/base/error.h"
#include "dropout_mask.h"
#include "fused.h"

namespace attune::nn::plain {

at::Tensor dropout(const at::Tensor& x, const DropoutSite& site) {
  if (!site) return x;
  if (x.dim() != 2 || x.size(0) != site.token_keys.size(0)) internal_error("dropout: one token key a row is needed");
  return residual_and_dropped(fused::at_least_float(x), {}, {}, site).to(x.scalar_type());
}

at::Tensor layer_norm_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              const DropoutSite& site) {
  return plain::dropout(at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon, false), site);
}

at::Tensor bias_dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                            const DropoutSite& site, const at::Tensor& weight,
                                            const at::Tensor& norm_bias, double epsilon) {
  const at::Tensor sum = site ? residual_and_dropped(x, bias, residual, site) : residual + (bias.defined() ? x + bias : x);
  return at::layer_norm(sum, {x.size(-1)}, weight, norm_bias, epsilon, false);
}

at::Tensor bias_activate(const at::Tensor& x, const at::Tensor& bias, Activation activation) {
  return activate(bias.defined() ? x + bias : x, activation);
}

}  // namespace attune::nn::plain
