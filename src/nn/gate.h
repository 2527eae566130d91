// The kernels' name of an activation.
#pragma once

#include <optional>

#include "attune/nn/activation.h"
#include "kernels/kernels.h"

namespace attune::nn {

/// Nothing where the kernels have no such activation.
std::optional<kernels::Gate> gate_of(Activation activation);

}  // namespace attune::nn
