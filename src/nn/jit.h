// Elementwise functions that LibTorch compiles for the GPU when they are first used (its "jiterator", NVRTC): one pass over
// memory where plain operators would make one a step. Nothing of it is there on other devices, and in a program that was
// linked without LibTorch's CUDA part.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>

namespace attune::nn::jit {

/// Whether functions can be compiled for the device of x.
bool possible(const at::Tensor& x);

/// f(inputs…, extra…) element by element. `code` is a CUDA template over one type T named `name`, taking the inputs as T,
/// which all have one format, and then the extra arguments as double or int64_t. Inputs are broadcast. No gradient.
at::Tensor apply(const std::string& name, const std::string& code, std::initializer_list<at::Tensor> inputs,
                 std::initializer_list<at::Scalar> extra);

}  // namespace attune::nn::jit
