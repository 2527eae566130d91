// A fast hash of 128 bits that stands for a text where the text itself would take too much memory: two that differ share
// one by chance only (among a billion texts with a probability of 10^-21). Not against somebody who looks for such a
// pair: there is sha256.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace attune {

struct Hash128 {
  std::uint64_t first = 0, second = 0;

  bool operator==(const Hash128&) const = default;
  /// For tables: all bits are equally good.
  struct Part {
    std::size_t operator()(const Hash128& hash) const noexcept { return hash.first; }
  };
};

/// MurmurHash3_x64_128 (Appleby 2011) of the bytes. `seed`: the hash of what came before them; without one that of the
/// reference under the seed 0.
Hash128 hash128(std::string_view bytes, Hash128 seed = {});

}  // namespace attune
