// The hash is MurmurHash3's, and nearby texts do not share it.
#include "attune/base/hash128.h"

#include <string>
#include <unordered_set>

#include "catch.h"

using attune::Hash128;
using attune::hash128;

TEST_CASE("the 128-bit hash is that of MurmurHash3", "[base]") {
  CHECK(hash128("") == Hash128{0, 0});
  CHECK(hash128("hello") == Hash128{0xcbd8a7b341bd9b02, 0x5b1e906a48ae1d19});
  CHECK(hash128("hello, world") == Hash128{0x342fac623a5ebc8e, 0x4cdcbc079642414d});
  CHECK(hash128("The quick brown fox jumps over the lazy dog") == Hash128{0xe34bbc7bbc071b6c, 0x7a433ca9c49a9347});
}

TEST_CASE("texts that differ in a bit, in length or in what came before them have other hashes", "[base]") {
  std::unordered_set<Hash128, Hash128::Part> seen;
  std::size_t count = 0;
  for (std::size_t size = 0; size <= 70; ++size) {
    std::string text(size, '\0');
    for (std::size_t bit = 0; bit <= 8 * size; ++bit) {
      if (bit > 0) text[(bit - 1) / 8] ^= static_cast<char>(1 << ((bit - 1) % 8));
      for (const Hash128 seed : {Hash128{}, hash128("before")}) {
        seen.insert(hash128(text, seed));
        ++count;
      }
      if (bit > 0) text[(bit - 1) / 8] ^= static_cast<char>(1 << ((bit - 1) % 8));
    }
  }
  CHECK(seen.size() == count);
}
