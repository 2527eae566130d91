// The total L2 norm of all gradients and the factor that clips it.
#pragma once

#include "attune/tensor/arena.h"

namespace attune::optim {

/// ‖g‖₂ of all gradients, added up in double by the arena's pieces and in their order: the same bits for every number of
/// threads. Not finite when an element is not.
double gradient_norm(const tensor::ParameterArena& arena);

/// min(1, max_norm / (norm + 1e-6)) as torch.nn.utils.clip_grad_norm_; 1 when max_norm is 0 (no clipping).
double clip_factor(double norm, double max_norm);

}  // namespace attune::optim
