// What to tell when a loss or a gradient is not finite.
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

}  // namespace attune::train
