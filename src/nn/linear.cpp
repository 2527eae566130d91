// See linear.h.
#include "attune/nn/linear.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

namespace attune::nn {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

at::Tensor embedding(const at::Tensor& ids, const at::Tensor& weight) {
  return at::embedding(weight, ids);
}

}  // namespace attune::nn
