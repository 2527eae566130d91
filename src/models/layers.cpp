// See layers.h.
#include "layers.h"

#include "attune/nn/linear.h"

namespace attune::models {

at::Tensor Linear::apply(const at::Tensor& x, const at::Tensor& added) const {
  return conv1d ? nn::conv1d(x, weight, added) : nn::linear(x, weight, added);
}

}  // namespace attune::models
