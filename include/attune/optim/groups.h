// Which parameters share a learning rate and a weight decay.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace attune::optim {

struct ParameterGroup {
  double learning_rate = 0;  ///< before the schedule's factor
  double weight_decay = 0;
  std::vector<std::size_t> members;  ///< slices of the arena
};

/// Transformers' rule (Trainer.get_decay_parameter_names): weights of norm layers do not decay, nor names that hold, in
/// lower case, "bias", "layernorm", "rmsnorm", a component "norm" or a component that ends in "_norm".
bool decays(std::string_view name, bool of_norm_layer);

}  // namespace attune::optim
