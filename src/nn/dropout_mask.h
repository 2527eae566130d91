// The masks of dropout_hash.h by tensor operators: they work on every device.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/nn/dropout.h"

namespace attune::nn {

/// dropout_row_key of all rows of the stream at `site`, int64 [T] on the device of its token keys.
at::Tensor row_keys_of(const DropoutSite& site);

/// What is kept, bool of the shape that row_keys and features (int64) broadcast to.
at::Tensor kept(const at::Tensor& row_keys, const at::Tensor& features, double p);

/// x · kept / (1 - p) · factor, without a gradient. x, float32 or float64, is [rows, features] with the site's token keys [rows],
/// or attention's probabilities [sequences, heads, queries, keys], whose features are head · 2^20 + key, with token keys
/// [sequences, 1, queries, 1].
at::Tensor dropped(const at::Tensor& x, const DropoutSite& site, double factor = 1.0);

/// residual + dropped(x + bias), differentiable; backward computes the mask again. All float32 or float64, [rows, features]; bias
/// and residual may be undefined.
at::Tensor residual_and_dropped(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const DropoutSite& site);

}  // namespace attune::nn
