// How fast this machine multiplies matrices: the limit that a training can be held against.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "attune/nn/precision.h"

namespace attune::nn {

struct MatrixRate {
  double flops_per_second = 0;
  std::int64_t size = 0;  ///< of the square matrices that were multiplied
};

/// Of the fastest of some products, within some tenths of a second, with all threads. Other jobs on the machine lower it.
MatrixRate matrix_rate(const at::Device& device, Precision precision);

}  // namespace attune::nn
