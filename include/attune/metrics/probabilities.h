// From logits to probabilities and choices, in double precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune::metrics {

/// Softmax of each row of `logits` [rows × classes], row-major; same shape.
std::vector<double> softmax_rows(std::span<const float> logits, std::size_t classes);

/// 1 / (1 + exp(-x)) of each element, without overflow.
std::vector<double> sigmoid(std::span<const float> logits);

/// Index of the largest element of each row [rows × classes]; the lowest index wins ties.
std::vector<std::int64_t> argmax_rows(std::span<const double> scores, std::size_t classes);

}  // namespace attune::metrics
