// Randomness as a pure function of (seed, stream name, counters): no generator state exists that would have to be saved.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace attune {

/// A point in the tree of random streams. Streams with different paths are independent.
///   RandomKey(42, "dropout").with(step).with(site)
class RandomKey {
 public:
  RandomKey(std::uint64_t seed, std::string_view stream);
  RandomKey with(std::uint64_t counter) const;

  std::uint64_t value() const { return value_; }
  /// The i-th 64 random bits of this stream.
  std::uint64_t bits(std::uint64_t i) const;
  /// The i-th uniform number in [0, 1) with 53 bits.
  double uniform(std::uint64_t i) const;
  /// The i-th standard normal number (Box–Muller on bits 2i and 2i+1).
  double normal(std::uint64_t i) const;
  /// A permutation of 0…n-1 (Fisher–Yates).
  std::vector<std::int64_t> permutation(std::int64_t n) const;

 private:
  explicit RandomKey(std::uint64_t value) : value_(value) {}
  std::uint64_t value_;
};

/// splitmix64's finaliser (Steele et al. 2014): a bijection of 64 bits with full avalanche.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Equal to torch.randperm(n, generator=torch.Generator().manual_seed(seed)) on the CPU, so that a run can be laid beside
/// the reference trainer's (epoch order: seed + epoch).
/// `Integer`: std::int64_t or std::uint32_t, which must hold n.
template <class Integer = std::int64_t>
std::vector<Integer> torch_randperm(std::int64_t n, std::uint64_t seed);

}  // namespace attune
