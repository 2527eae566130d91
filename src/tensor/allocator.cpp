// See allocator.h.
#include "attune/tensor/allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <cstdlib>
#include <limits>

namespace attune::tensor {

namespace {

constexpr std::size_t kBlockAlignment = 64;  // bytes: a cache line and a vector register of AVX-512

/// What malloc gave stands before the block: LibTorch's raw interface frees a block by its address alone.
void release(void* block) {
  if (block != nullptr) std::free(static_cast<void**>(block)[-1]);
}

class HandAligned final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::kCPU};
    const bool fits = bytes <= std::numeric_limits<std::size_t>::max() - kBlockAlignment;
    void* base = fits ? std::malloc(bytes + kBlockAlignment) : nullptr;
    // Told as LibTorch's allocator tells it: whoever catches it reads what was asked for.
    TORCH_CHECK(base != nullptr, "not enough memory: you tried to allocate ", bytes, " bytes.");
    // malloc aligns to 16: there are at least 16 bytes before the block.
    void* block =
        reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(base) + kBlockAlignment) & ~(kBlockAlignment - 1));
    static_cast<void**>(block)[-1] = base;
    return {block, block, &release, c10::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

void align_by_hand() {
  static HandAligned allocator;
  c10::SetCPUAllocator(&allocator);
}

}  // namespace attune::tensor
