// The trained part of a model: its parameters in arenas, and what the stages need to know about them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/models/model.h"
#include "attune/optim/groups.h"
#include "attune/tensor/arena.h"
#include "attune/train/options.h"

namespace attune::train {

/// Moves the trained parameters into arenas (ordered by their lowest stage, so that a layer's lie together) and
/// switches gradients off for all others. Gradients are off for all again when it is destroyed.
class Trainables {
 public:
  /// `flags`: one a parameter of model.parameters(). `ids`: the token ids of all batches that will be trained on, ascending;
  /// on the CPU other rows of a table that is read by token id alone then cost neither memory nor time. Null: any id may come.
  Trainables(models::Model& model, const std::vector<bool>& flags, const tensor::TableRows* ids = nullptr);

  tensor::ParameterArena& arena() { return *arena_; }
  const tensor::ParameterArena& arena() const { return *arena_; }
  const std::vector<std::string>& names() const { return names_; }  ///< of the arena's slices
  int lowest_stage() const { return lowest_stage_; }
  /// Per stage, whether it reads a trained parameter; dropout is on exactly there unless frozen_dropout asks for more.
  const std::vector<bool>& trained_stages() const { return trained_stages_; }

  /// Decay by Transformers' rule; head_learning_rate for the task head; elsewhere lr · layerwise_lr_decay^(depth + 1 -
  /// stage), as ELECTRA's fine-tuning does it (Clark et al. 2020, appendix B).
  std::vector<optim::ParameterGroup> groups(const TrainingOptions& options) const;

 private:
  int depth_;
  std::vector<models::Parameter> parameters_;  ///< trained ones, in arena order (handles, not copies)
  std::vector<std::string> names_;
  std::vector<bool> trained_stages_;
  int lowest_stage_;
  std::unique_ptr<tensor::ParameterArena> arena_;
};

}  // namespace attune::train
