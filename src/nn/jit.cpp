// See jit.h. The only file that calls a function of LibTorch's CUDA part by name.
#include "jit.h"

#include "attune/base/error.h"

#ifdef ATTUNE_CUDA
#include <ATen/jit_macros.h>
#if AT_USE_JITERATOR()
#include <ATen/cuda/jiterator.h>
#define ATTUNE_JIT
#endif
#endif

namespace attune::nn::jit {

#ifdef ATTUNE_JIT

bool possible(const at::Tensor& x) {
  return x.is_cuda();
}

at::Tensor apply(const std::string& name, const std::string& code, std::initializer_list<at::Tensor> inputs,
                 std::initializer_list<at::Scalar> extra) {
  return at::cuda::CompileAndLaunchKernel(code, name, /*num_outputs=*/1, inputs, extra, /*return_by_ref=*/false)[0];
}

#else

bool possible(const at::Tensor&) {
  return false;
}

at::Tensor apply(const std::string& name, const std::string&, std::initializer_list<at::Tensor>,
                 std::initializer_list<at::Scalar>) {
  internal_error("jit: '" + name + "' cannot be compiled here");
}

#endif

}  // namespace attune::nn::jit
