// See random.h.
#include "attune/base/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <utility>

namespace attune {

RandomKey::RandomKey(std::uint64_t seed, std::string_view stream) : value_(mix64(seed)) {
  for (const char c : stream) value_ = mix64(value_ ^ static_cast<unsigned char>(c));
  value_ = mix64(value_ ^ (0x100 + stream.size()));
}

RandomKey RandomKey::with(std::uint64_t counter) const { return RandomKey(mix64(value_ ^ mix64(counter))); }

std::uint64_t RandomKey::bits(std::uint64_t i) const { return mix64(value_ + 0x632be59bd9b4e019ULL * (i + 1)); }

double RandomKey::uniform(std::uint64_t i) const { return static_cast<double>(bits(i) >> 11) * 0x1p-53; }

double RandomKey::normal(std::uint64_t i) const {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * i)));
  return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * i + 1));
}

std::vector<std::int64_t> RandomKey::permutation(std::int64_t n) const {
  std::vector<std::int64_t> order(n);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    std::swap(order[i], order[bits(i) % static_cast<std::uint64_t>(i + 1)]);
  }
  return order;
}

template <class Integer>
std::vector<Integer> torch_randperm(std::int64_t n, std::uint64_t seed) {
  // aten/src/ATen/native/TensorFactories.cpp, randperm_cpu: swaps from the front, 32 random bits a swap. torch seeds its
  // mt19937 with the low 32 bits of the seed.
  std::mt19937 engine(static_cast<std::uint32_t>(seed));
  std::vector<Integer> order(n);
  std::iota(order.begin(), order.end(), Integer{0});
  for (std::int64_t i = 0; i + 1 < n; ++i) {
    const auto offset = static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(n - i));
    std::swap(order[i], order[i + offset]);
  }
  return order;
}

template std::vector<std::int64_t> torch_randperm(std::int64_t n, std::uint64_t seed);
template std::vector<std::uint32_t> torch_randperm(std::int64_t n, std::uint64_t seed);

}  // namespace attune
