// Random streams: equality with torch.randperm and independence of keys.
#include "attune/base/random.h"

#include "catch.h"

using attune::RandomKey;

TEST_CASE("torch_randperm equals torch.randperm", "[base][random]") {
  // python: torch.randperm(10, generator=torch.Generator().manual_seed(42))
  CHECK(attune::torch_randperm(10, 42) == std::vector<std::int64_t>{2, 6, 1, 8, 4, 5, 0, 9, 3, 7});
}

TEST_CASE("random keys depend on every part of their path", "[base][random]") {
  const RandomKey key(1, "dropout");
  CHECK(key.value() != RandomKey(2, "dropout").value());
  CHECK(key.value() != RandomKey(1, "dropou").value());
  CHECK(key.with(1).value() != key.with(2).value());
  CHECK(key.with(1).with(2).value() != key.with(2).with(1).value());
}
