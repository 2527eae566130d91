// See dropout.h.
#include "attune/nn/dropout.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "attune/base/error.h"
#include "attune/nn/plain.h"
#include "dropout_hash.h"

namespace attune::nn {

DropoutSite DropoutKeys::site(int number, double p) const {
  if (!token_keys.defined() || p <= 0.0) return {};
  return {.p = p, .key = mix64(step_key ^ mix64(static_cast<std::uint64_t>(number))), .token_keys = token_keys};
}

std::vector<std::uint64_t> dropout_row_keys(const DropoutSite& site) {
  const at::Tensor token_keys = site.token_keys.cpu().contiguous();
  const auto* keys = token_keys.const_data_ptr<std::int64_t>();
  std::vector<std::uint64_t> row_keys(token_keys.numel());
  for (std::size_t t = 0; t < row_keys.size(); ++t) {
    row_keys[t] = dropout_row_key(site.key, static_cast<std::uint64_t>(keys[t]));
  }
  return row_keys;
}

at::Tensor dropout_mask(const DropoutSite& site, std::int64_t features) {
  const std::vector<std::uint64_t> row_keys = dropout_row_keys(site);
  const std::uint32_t threshold = dropout_threshold(site.p);
  const auto rows = static_cast<std::int64_t>(row_keys.size());
  at::Tensor mask = at::empty({rows, features}, at::kBool);
  bool* out = mask.mutable_data_ptr<bool>();
  for (std::int64_t t = 0; t < rows; ++t) {
    for (std::int64_t f = 0; f < features; ++f) {
      out[t * features + f] = dropout_keeps(row_keys[t], static_cast<std::uint32_t>(f), threshold);
    }
  }
  return mask.to(site.token_keys.device());
}

at::Tensor dropout(const at::Tensor& x, const DropoutSite& site) {
  return plain::dropout(x, site);
}

at::Tensor bias_dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                            const DropoutSite& site, const at::Tensor& weight,
                                            const at::Tensor& norm_bias, double epsilon) {
  return plain::bias_dropout_residual_layer_norm(x, bias, residual, site, weight, norm_bias, epsilon);
}

}  // namespace attune::nn
