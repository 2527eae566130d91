// Optimisers over slices of an arena: one fused call a parameter group.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "attune/optim/groups.h"
#include "attune/tensor/arena.h"

namespace attune::optim {

struct OptimizerOptions {
  std::string name = "adamw_torch_fused";  ///< adamw_torch_fused and adamw_torch (the same computation), sgd
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum = 0.0;  ///< sgd
};

/// What one update needs to know.
struct Update {
  std::int64_t number = 1;       ///< 1 for the first update (bias correction)
  double rate_factor = 1.0;      ///< of the schedule
  double gradient_factor = 1.0;  ///< of clipping; folded into the update
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Updates the arena's values, and their copies, from its gradients. Reads no gradient outside the groups; may scale
  /// gradients in place.
  virtual void step(const Update& update) = 0;
  /// Moments by name ("exp_avg", …), laid out as the values: what a checkpoint must hold besides the number of updates.
  virtual std::map<std::string, const tensor::Arena*> state() const = 0;
};

/// `arena` must outlive the optimiser. Throws Error{usage} for an unknown name.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const tensor::ParameterArena& arena,
                                          std::vector<ParameterGroup> groups);

}  // namespace attune::optim
