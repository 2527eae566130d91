// Which parameters share a learning rate and a weight decay.
#pragma once

#include <cstddef>
#include <vector>

namespace attune::optim {

struct ParameterGroup {
  double learning_rate = 0;  ///< before the schedule's factor
  double weight_decay = 0;
  std::vector<std::size_t> members;  ///< slices of the arena
};

}  // namespace attune::optim
