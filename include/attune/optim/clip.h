// The total L2 norm of all gradients and the factor that clips it.
#pragma once

#include <ATen/core/Tensor.h>

namespace attune::optim {

/// ‖flat‖₂ of a float32 buffer, added up in double in blocks of fixed size and fixed order: the same bits for every
/// number of threads. Not finite when an element is not.
double gradient_norm(const at::Tensor& flat);

/// min(1, max_norm / (norm + 1e-6)) as torch.nn.utils.clip_grad_norm_; 1 when max_norm is 0 (no clipping).
double clip_factor(double norm, double max_norm);

}  // namespace attune::optim
