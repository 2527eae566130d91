// See device.h.
#include "attune/tensor/device.h"

#include <torch/version.h>

#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
#include <c10/core/CachingDeviceAllocator.h>
#define ATTUNE_HAS_DEVICE_STATS
#endif

namespace attune::tensor {

at::Tensor on_device(const at::Tensor& x, const at::Device& device) {
  return x.to(device, /*non_blocking=*/x.is_cpu());
}

std::optional<std::int64_t> peak_memory(const at::Device& device) {
#ifdef ATTUNE_HAS_DEVICE_STATS
  if (!device.is_cuda()) return std::nullopt;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return std::nullopt;
  const auto stats = allocator->getDeviceStats(device.index() < 0 ? c10::DeviceIndex{0} : device.index());
  return stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
#else
  return std::nullopt;
#endif
}

}  // namespace attune::tensor
