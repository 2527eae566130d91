// Dropout as a pure function of (seed, optimiser step, site, row of the data set and its occurrence, token position,
// feature): the mask is never stored, and regrouping, recomputation, threads and resumption never change it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace attune::nn {

/// Dropout at one site of the network. p == 0 (or a default-constructed value) means none.
struct DropoutSite {
  double p = 0.0;
  std::uint64_t key = 0;  ///< from (seed, optimiser step, site)
  at::Tensor token_keys;  ///< int64 [T]: from (row, occurrence, position in its sequence), one a token of the stream

  explicit operator bool() const { return p > 0.0; }
};

/// What a batch and a step fix; sites are numbered by the model.
struct DropoutKeys {
  std::uint64_t step_key = 0;  ///< from (seed, optimiser step)
  at::Tensor token_keys;       ///< int64 [T]; undefined in evaluation
  /// No dropout when token_keys is undefined or p is 0. `p` in [0, 1].
  DropoutSite site(int number, double p) const;
};

/// y = x · mask / (1 - p), x [T, F]; with its own backward (the mask is computed again).
at::Tensor dropout(const at::Tensor& x, const DropoutSite& site);
/// The keep mask [T, F] as bool: the definition every fused kernel is tested against.
at::Tensor dropout_mask(const DropoutSite& site, std::int64_t features);

/// y = LayerNorm(residual + dropout(x + bias)) in one pass, as post-norm encoders need it; x, residual [T, H]; bias may
/// be undefined. Backward gives the gradients of x, bias, residual, weight and norm_bias.
at::Tensor bias_dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                            const DropoutSite& site, const at::Tensor& weight,
                                            const at::Tensor& norm_bias, double epsilon);

}  // namespace attune::nn
