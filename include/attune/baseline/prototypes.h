// Classes as the means of their rows (Snell et al. 2017, "Prototypical networks for few-shot learning"): a classifier
// in closed form over vectors that are not trained for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "attune/baseline/linear_layer.h"

namespace attune::baseline {

enum class PrototypeDistance {
  cosine,     ///< 1 - cos(row, mean); rows must have length 1
  euclidean,  ///< |row - mean|², as the paper has it
};

struct PrototypeRows {
  std::span<const double> values;  ///< [rows × columns]
  std::size_t columns = 0;
  std::span<const std::int64_t> labels;  ///< [rows]
  std::span<const double> weights = {};  ///< [rows] in the means; empty: 1 each
};

/// The layer under whose softmax a class has the probability softmax(-distance to its mean). It is linear: what the
/// classes of a row have in common (|row|², 1) is left out. `labels` in 0 … classes-1; a class without rows has
/// kAbsentBias. Error{internal} without rows, for labels out of range and sizes that do not fit.
LinearLayer prototype_layer(const PrototypeRows& rows, std::size_t classes, PrototypeDistance distance);

}  // namespace attune::baseline
