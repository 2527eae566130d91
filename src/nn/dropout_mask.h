// The masks of dropout_hash.h by tensor operators: they work on every device.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/nn/dropout.h"

namespace attune::nn {

/// dropout_row_key of all rows of the stream at `site`, int64 [T] on the device of its token keys.
at::Tensor row_keys_of(const DropoutSite& site);

/// What is kept, bool of the shape that row_keys and features (int64) broadcast to.
at::Tensor kept(const at::Tensor& row_keys, const at::Tensor& features, double p);

/// x · kept / (1 - p), differentiable in x; backward computes the mask again. x, float32 or float64, is [rows, features] with
/// row_keys [rows, 1], or attention's probabilities [sequences, heads, queries, keys] with row_keys [sequences, 1, queries, 1],
/// whose features are head · 2^20 + key.
at::Tensor dropped(const at::Tensor& x, const at::Tensor& row_keys, double p);

}  // namespace attune::nn
