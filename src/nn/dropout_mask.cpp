// See dropout_mask.h. Words of 32 and 64 bits live in int64, whose products and sums wrap as the unsigned ones do.
#include "dropout_mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

#include "dropout_hash.h"

namespace attune::nn {

namespace {

constexpr std::int64_t kWord = 0xffffffff;

std::int64_t constant(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits);
}

/// x >> bits as of an unsigned number.
at::Tensor shifted(const at::Tensor& x, int bits) {
  return x.bitwise_right_shift(bits) & constant(~std::uint64_t{0} >> bits);
}

/// mix64 of base/random.h.
at::Tensor mixed(at::Tensor x) {
  x = x + constant(0x9e3779b97f4a7c15);
  x = (x ^ shifted(x, 30)) * constant(0xbf58476d1ce4e5b9);
  x = (x ^ shifted(x, 27)) * constant(0x94d049bb133111eb);
  return x ^ shifted(x, 31);
}

}  // namespace

at::Tensor row_keys_of(const DropoutSite& site) {
  return mixed(mixed(site.token_keys) ^ constant(site.key));
}

at::Tensor kept(const at::Tensor& row_keys, const at::Tensor& features, double p) {
  // dropout_hash, step by step.
  at::Tensor h = (features * constant(0x9e3779b9) + (row_keys & kWord)) & kWord;
  h = ((h ^ shifted(h, 16)) * constant(0x7feb352d)) & kWord;
  h = ((h ^ shifted(h, 15)) + shifted(row_keys, 32)) & kWord;
  h = (h * constant(0x846ca68b)) & kWord;
  h = h ^ shifted(h, 16);
  return shifted(h, 1) >= static_cast<std::int64_t>(dropout_threshold(p));
}

at::Tensor dropout_mask(const DropoutSite& site, std::int64_t features) {
  const at::Tensor row_keys = row_keys_of(site);
  return kept(row_keys.unsqueeze(1), at::arange(features, row_keys.options()), site.p);
}

}  // namespace attune::nn
