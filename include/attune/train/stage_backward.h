// Forward and backward as loops over the stages of a model. Hidden states are cut at every stage boundary, and autograd
// runs stage by stage from the top: release of memory, recomputation and gradient exchange can hang on this loop, and
// nothing below the lowest trained stage ever builds a graph. Gradients are the same bits as those of one whole
// backward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "attune/models/model.h"

namespace attune::train {

/// Whether stages keep their graphs until backward, or only what they read and are run again (the same bits, because
/// dropout is a pure function of the row; less memory, a forward pass more).
enum class Recompute { no, yes };

/// One forward pass that can be run backward once.
class StagedPass {
 public:
  /// `lowest`: the lowest stage that reads a trained parameter. Both references must outlive the pass.
  StagedPass(const models::Model& model, const models::Context& context, int lowest, Recompute recompute = Recompute::no)
      : model_(model), context_(context), lowest_(lowest), recompute_(recompute == Recompute::yes) {}

  models::Output forward() { return forward(0, {}); }
  /// From a state that the stages below `stage` gave; `stage` is not above the lowest that trains.
  models::Output forward(int stage, models::State state);
  /// `root`: a scalar computed from forward()'s output; `scale` multiplies its gradient. Adds into the parameters'
  /// gradients.
  void backward(const at::Tensor& root, double scale);

 private:
  /// A value that crosses a stage boundary: what made it, and the leaf that stands for it above.
  struct Cut {
    at::Tensor made;
    at::Tensor leaf;
  };
  at::Tensor cut(const at::Tensor& value, int reader, Cut& record) const;
  void cross(models::State& state, int reader);
  models::State run(int stage, const models::State& state) const;
  /// Makes the graph of a stage that was run without one, and puts its outputs in place of those of the first run.
  void run_again(int stage, Cut& hidden);

  const models::Model& model_;
  const models::Context& context_;
  int lowest_;
  bool recompute_;
  std::vector<models::State> inputs_;  ///< what each stage that will be run again reads
  std::vector<Cut> hidden_;  ///< by the stage that reads the leaf
  Cut memory_;               ///< one leaf for all stages that read the encoder's memory
  int memory_maker_ = -1;
};

}  // namespace attune::train
