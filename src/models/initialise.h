// Values of tensors that no checkpoint holds, distributed as Transformers' _init_weights does it. Pure functions of (seed,
// name), so that a tensor does not depend on what else is new or on threads.
#pragma once

#include <cstdint>

#include "attune/models/model.h"

namespace attune::models {

/// Matrices and embeddings N(0, initializer_range²), padding rows 0, biases 0, norms 1 and 0, with the exceptions that
/// Parameter::initial_factor states. float32.
at::Tensor initial_value(const Parameter& parameter, double initializer_range, std::uint64_t seed);

/// DistilBERT's fixed positions (Vaswani et al. 2017, with sines on even and cosines on odd features), [positions,
/// features].
at::Tensor sinusoidal_positions(std::int64_t positions, std::int64_t features);

}  // namespace attune::models
