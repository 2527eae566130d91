// L-BFGS (Liu & Nocedal 1989) for smooth convex functions.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace attune::baseline {

/// The value at `x`; writes the gradient, of the same size.
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

/// From `start` to a point where the Euclidean norm of the gradient is at most `gradient_norm`, or to where rounding
/// allows no further descent. Error{internal} when the function is not finite or 10,000 steps are not enough.
std::vector<double> minimize(const SmoothFunction& function, std::vector<double> start, double gradient_norm);

}  // namespace attune::baseline
