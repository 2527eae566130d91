// The way that devices without kernels of our own go, on the CPU: plain operators everywhere while the object lives.
#pragma once

#include "../src/nn/kernels/kernels.h"

namespace attune::testing {

class WithoutKernels {
 public:
  WithoutKernels() { nn::kernels::enable(false); }
  ~WithoutKernels() { nn::kernels::enable(true); }
  WithoutKernels(const WithoutKernels&) = delete;
  WithoutKernels& operator=(const WithoutKernels&) = delete;
};

}  // namespace attune::testing
