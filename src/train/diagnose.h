// What to tell when a loss, a gradient or an output is not finite.
#pragma once

#include <string>
#include <vector>

#include "attune/task/task.h"
#include "run.h"

namespace attune::train {

/// Throws Error{diverged} naming the step, the rows of the batch and the first trained weight that is not finite.
[[noreturn]] void loss_diverged(const Run& run, double loss, const std::vector<const task::Encoded*>& rows);
/// The same for the gradient norm, naming the first gradient that is not finite.
[[noreturn]] void gradient_diverged(const Run& run, double norm, const std::vector<const task::Encoded*>& rows);

/// Throws Error{diverged} naming the rows of the batch when an output is not finite: NaN must not become a label, and a
/// sort that meets it is undefined.
void check_outputs(const at::Tensor& logits, const std::vector<const task::Encoded*>& rows);

}  // namespace attune::train
