// See trainables.h.
#include "attune/train/trainables.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "attune/base/error.h"

namespace attune::train {

namespace {

int lowest_reader(const models::Parameter& parameter) {
  return parameter.stages.front();
}

std::vector<models::Parameter> pick_trained(models::Model& model, const std::vector<bool>& flags) {
  std::vector<models::Parameter>& all = model.parameters();
  if (flags.size() != all.size()) internal_error("the trainable flags do not match the model's parameters");
  std::vector<models::Parameter> trained;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].tensor.set_requires_grad(false);
    if (flags[i]) trained.push_back(all[i]);
  }
  if (trained.empty()) internal_error("no parameter is trained");
  std::stable_sort(trained.begin(), trained.end(), [](const models::Parameter& a, const models::Parameter& b) {
    return lowest_reader(a) < lowest_reader(b);
  });
  return trained;
}

}  // namespace

Trainables::Trainables(models::Model& model, const std::vector<bool>& flags, const tensor::TableRows* ids)
    : depth_(model.depth()), parameters_(pick_trained(model, flags)), trained_stages_(model.depth() + 2, false) {
  std::vector<at::Tensor> tensors, copies;
  for (const models::Parameter& parameter : parameters_) {
    names_.push_back(parameter.name);
    tensors.push_back(parameter.tensor);
    copies.push_back(parameter.has_copy() ? parameter.rounded : at::Tensor());
    for (const int stage : parameter.stages) trained_stages_[stage] = true;
  }
  lowest_stage_ = lowest_reader(parameters_.front());
  std::map<std::size_t, tensor::TableRows> rows;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (ids != nullptr && parameters_[i].by_token) rows.emplace(i, *ids);
  }
  arena_ = std::make_unique<tensor::ParameterArena>(std::move(tensors), rows, std::move(copies));
}

std::vector<optim::ParameterGroup> Trainables::groups(const TrainingOptions& options) const {
  std::map<std::pair<double, double>, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const models::Parameter& parameter = parameters_[i];
    double rate = options.learning_rate;
    if (parameter.is_head && options.head_learning_rate) {
      rate = *options.head_learning_rate;
    } else if (options.layerwise_lr_decay) {
      rate *= std::pow(*options.layerwise_lr_decay, depth_ + 1 - lowest_reader(parameter));
    }
    members[{rate, models::decays(parameter) ? options.weight_decay : 0.0}].push_back(i);
  }
  std::vector<optim::ParameterGroup> groups;
  for (auto& [key, slices] : members) groups.push_back({key.first, key.second, std::move(slices)});
  return groups;
}

}  // namespace attune::train
