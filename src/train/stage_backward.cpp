// See stage_backward.h.
#include "attune/train/stage_backward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>

namespace attune::train {

namespace {

using Tensors = std::vector<at::Tensor>;

/// Adds a root unless no gradient can pass it: a frozen encoder makes such roots, and so does a leaf that nobody read.
void add_root(const at::Tensor& made, const at::Tensor& gradient, Tensors& roots, Tensors& gradients) {
  if (!made.defined() || !made.requires_grad() || !gradient.defined()) return;
  roots.push_back(made);
  gradients.push_back(gradient);
}

}  // namespace

at::Tensor StagedPass::cut(const at::Tensor& value, int reader, Cut& record) const {
  // Nothing below the lowest trained stage needs a gradient: what reaches that stage is a constant.
  if (reader <= lowest_) return value;
  record.made = value;
  record.leaf = value.detach().requires_grad_(true);
  return record.leaf;
}

void StagedPass::cross(models::State& state, int reader) {
  state.hidden = cut(state.hidden, reader, hidden_[reader]);
  const bool new_memory = state.memory.defined() && !state.memory.is_same(memory_.leaf);
  if (!new_memory) return;
  memory_maker_ = reader - 1;
  state.memory = cut(state.memory, reader, memory_);
}

models::State StagedPass::run(int stage, const models::State& state) const {
  return stage == 0 ? model_.embed(context_) : model_.block(stage - 1, state, context_);
}

void StagedPass::run_again(int stage, Cut& hidden) {
  const nn::PrecisionGuard precision(model_.execution().precision);
  const at::AutoGradMode graph(true);
  const models::State made = run(stage, std::exchange(inputs_[stage], {}));
  hidden.made = made.hidden;
  if (stage == memory_maker_) memory_.made = made.memory;
}

models::Output StagedPass::forward(int first, models::State state) {
  const nn::PrecisionGuard precision(model_.execution().precision);
  const int head = model_.depth() + 1;
  hidden_.assign(head + 1, {});
  inputs_.assign(head + 1, {});
  for (int stage = first; stage < head; ++stage) {
    const bool trains = stage >= lowest_;
    const at::AutoGradMode graph(trains && !recompute_);
    if (trains && recompute_) inputs_[stage] = state;
    state = run(stage, state);
    cross(state, stage + 1);
  }
  return model_.head(state, context_);
}

void StagedPass::backward(const at::Tensor& root, double scale) {
  Tensors roots, gradients;
  add_root(root, at::full({}, scale, root.options().requires_grad(false)), roots, gradients);
  for (int stage = model_.depth() + 1; stage >= lowest_; --stage) {
    if (!roots.empty()) torch::autograd::backward(roots, gradients);
    roots.clear();
    gradients.clear();
    // The graph of this stage is gone; what crossed its lower boundary starts the stage below.
    Cut below = std::exchange(hidden_[stage], {});
    if (recompute_ && below.leaf.defined()) run_again(stage - 1, below);
    if (below.leaf.defined()) add_root(below.made, below.leaf.grad(), roots, gradients);
    if (stage - 1 == memory_maker_ && memory_.leaf.defined()) {
      add_root(memory_.made, memory_.leaf.grad(), roots, gradients);
      memory_ = {};
    }
  }
}

}  // namespace attune::train
