// Memory of tensors on the CPU.
#include "attune/tensor/allocator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/core/CPUAllocator.h>

#include <cstdint>

#include "catch.h"

namespace {

/// The allocator that is tested, for as long as the object lives; other tests keep LibTorch's own.
struct HandAligned {
  HandAligned() { attune::tensor::align_by_hand(); }
  ~HandAligned() { c10::SetCPUAllocator(c10::GetDefaultCPUAllocator()); }
};

bool is_aligned(const void* block) {
  return reinterpret_cast<std::uintptr_t>(block) % 64 == 0;
}

}  // namespace

TEST_CASE("tensors are aligned by hand, through both interfaces of the allocator", "[tensor]") {
  const HandAligned guard;
  for (const std::int64_t bytes : {1, 63, 64, 100, 4096, 1 << 20})
    CHECK(is_aligned(at::empty({bytes}, at::kByte).const_data_ptr()));
  CHECK(at::empty({0}, at::kByte).numel() == 0);
  void* raw = c10::GetCPUAllocator()->raw_allocate(100);  // what oneDNN's copies use
  CHECK(is_aligned(raw));
  c10::GetCPUAllocator()->raw_deallocate(raw);
  CHECK(at::ones({1000}).clone().sum().item<float>() == 1000.0f);
#ifndef __SANITIZE_ADDRESS__  // which ends the program at such a request
  CHECK_THROWS_WITH(at::empty({std::int64_t{1} << 60}, at::kByte), ContainsSubstring("you tried to allocate 1152921504606846976 bytes"));
#endif
}

#ifndef __SANITIZE_ADDRESS__  // which keeps freed blocks
TEST_CASE("a freed block is given out again for the same request", "[tensor]") {
  const HandAligned guard;
  constexpr std::int64_t kBytes = 3 << 20;
  at::empty({8 * kBytes}, at::kByte);  // once freed, smaller blocks come from the heap and are not mapped one by one
  at::Tensor hole = at::empty({kBytes}, at::kByte);
  const at::Tensor behind = at::empty({kBytes}, at::kByte);
  const void* where = hole.const_data_ptr();
  hole.reset();
  CHECK(at::empty({kBytes}, at::kByte).const_data_ptr() == where);
}
#endif
