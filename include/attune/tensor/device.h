// Tensors and memory on a device other than the CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace attune::tensor {

/// x on `device`. From the CPU nothing waits for the device: CUDA takes a copy of ordinary memory before it returns.
at::Tensor on_device(const at::Tensor& x, const at::Device& device);

/// The most bytes that tensors have taken on the device at one time since the process began. Nothing for the CPU, and
/// where LibTorch (before 2.9) does not say.
std::optional<std::int64_t> peak_memory(const at::Device& device);

}  // namespace attune::tensor
