// See norm.h.
#include "attune/nn/norm.h"

#include "attune/nn/plain.h"

namespace attune::nn {

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
  return layer_norm_dropout(x, weight, bias, epsilon, {});
}

at::Tensor layer_norm_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              const DropoutSite& site) {
  return plain::layer_norm_dropout(x, weight, bias, epsilon, site);
}

}  // namespace attune::nn
