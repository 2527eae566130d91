// A classifier as one linear layer under a softmax.
#pragma once

#include <cstddef>
#include <vector>

namespace attune::baseline {

/// What a class has for a bias of which there was no row: a probability of 0.
inline constexpr double kAbsentBias = -1000;

/// logits = weights · row + biases.
struct LinearLayer {
  std::size_t columns = 0;
  std::vector<double> weights;  ///< [classes × columns]
  std::vector<double> biases;   ///< [classes]
};

}  // namespace attune::baseline
