// The random bits of dropout: 32 bits an element from a 64-bit key a row. Kernels use the same steps on vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "attune/base/random.h"
#include "attune/nn/dropout.h"

namespace attune::nn {

/// The key of one token at one site.
constexpr std::uint64_t dropout_row_key(std::uint64_t site_key, std::uint64_t token_key) {
  return mix64(site_key ^ mix64(token_key));
}

/// Both halves of the row's key enter a two-round multiply-xorshift mix; the constants are Wellons' "lowbias32"
/// (hash-prospector).
constexpr std::uint32_t dropout_hash(std::uint64_t row_key, std::uint32_t feature) {
  std::uint32_t h = feature * 0x9e3779b9u + static_cast<std::uint32_t>(row_key);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) + static_cast<std::uint32_t>(row_key >> 32);
  h *= 0x846ca68bu;
  return h ^ (h >> 16);
}

/// An element is kept when the upper 31 bits of its hash are >= this (31 bits, because SIMD compares signed numbers).
inline std::uint32_t dropout_threshold(double p) {
  return static_cast<std::uint32_t>(std::llround(std::min(p, 1.0) * 0x1p31));
}

constexpr bool dropout_keeps(std::uint64_t row_key, std::uint32_t feature, std::uint32_t threshold) {
  return (dropout_hash(row_key, feature) >> 1) >= threshold;
}

/// What kept elements are multiplied with; 0 where nothing is kept.
inline double dropout_scale(double p) {
  return p < 1.0 ? 1.0 / (1.0 - p) : 0.0;
}

/// The keys of all rows of the stream at `site`.
std::vector<std::uint64_t> dropout_row_keys(const DropoutSite& site);

}  // namespace attune::nn
