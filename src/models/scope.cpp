// See scope.h.
#include "scope.h"

#include <torch/nn/module.h>

#include <algorithm>

#include "attune/base/strings.h"

namespace attune::models {

namespace {

class Container : public torch::nn::Module {};

/// The module at `path` below `module`; missing ones are made.
torch::nn::Module& descend(torch::nn::Module& module, const std::vector<std::string>& path) {
  torch::nn::Module* here = &module;
  for (const std::string& name : path) {
    const auto children = here->named_children();
    const auto* found = children.find(name);
    here = found != nullptr ? found->get() : here->register_module(name, std::make_shared<Container>()).get();
  }
  return *here;
}

}  // namespace

std::string Scope::full(std::string_view name) const {
  return path_.empty() || name.empty() ? concat(path_, name) : concat(path_, ".", name);
}

Scope Scope::at(std::string_view path) const {
  Scope scope = *this;
  scope.path_ = full(path);
  return scope;
}

Scope Scope::stage(int stage) const {
  Scope scope = *this;
  scope.stage_ = stage;
  return scope;
}

Scope Scope::head() const {
  Scope scope = *this;
  scope.is_head_ = true;
  return scope;
}

void Scope::register_tensor(const std::string& full_name, const at::Tensor& tensor, bool requires_grad) const {
  std::vector<std::string> path = split(full_name, '.');
  const std::string leaf = path.back();
  path.pop_back();
  torch::nn::Module& module = descend(*root_, path);
  if (requires_grad) {
    module.register_parameter(leaf, tensor);
  } else {
    module.register_buffer(leaf, tensor);
  }
}

at::Tensor Scope::parameter(std::string_view name, std::vector<std::int64_t> shape, ParameterKind kind) const {
  const std::string full_name = full(name);
  const bool trains = kind != ParameterKind::buffer;
  at::Tensor tensor = at::empty({0}, at::kFloat).set_requires_grad(trains);
  register_tensor(full_name, tensor, trains);
  list_->push_back({.name = full_name,
                    .shape = std::move(shape),
                    .tensor = tensor,
                    .stages = {stage_},
                    .kind = kind,
                    .aliases = {},
                    .is_head = is_head_,
                    .padding_row = {},
                    .file_name = full_name});
  return tensor;
}

std::shared_ptr<const LayerChange> Scope::adaptable(const at::Tensor& weight, LayerKind kind, std::int64_t in,
                                                std::int64_t out) const {
  auto change = std::make_shared<LayerChange>();
  layers_->push_back({.path = path_,
                      .kind = kind,
                      .in = in,
                      .out = out,
                      .stage = stage_,
                      .has_bias = false,
                      .reads = {},
                      .weight = weight,
                      .change = change});
  return change;
}

Embedding Scope::embedding(std::string_view path, std::int64_t rows, std::int64_t features,
                           std::optional<std::int64_t> padding_row) const {
  const Scope layer = at(path);
  const at::Tensor table = layer.parameter("weight", {rows, features}, ParameterKind::embedding);
  list_->back().padding_row = padding_row;
  return {.weight = table,
          .padding_id = padding_row.value_or(-1),
          .change = layer.adaptable(table, LayerKind::embedding, rows, features)};
}

Embedding Scope::token_embedding(std::string_view path, std::int64_t rows, std::int64_t features,
                                 std::optional<std::int64_t> padding_row) const {
  const Embedding table = embedding(path, rows, features, padding_row);
  list_->back().by_token = true;
  return table;
}

Linear Scope::linear(std::string_view path, std::int64_t out, std::int64_t in, const LinearForm& form) const {
  const Scope layer = at(path);
  const std::size_t first = list_->size();
  const at::Tensor weight =
      layer.parameter("weight", form.conv1d ? std::vector{in, out} : std::vector{out, in}, ParameterKind::matrix);
  Linear linear{.weight = {weight, rounded(weight)},
                .bias = form.bias ? layer.parameter("bias", {out}, ParameterKind::bias) : at::Tensor(),
                .conv1d = form.conv1d};
  linear.change = layer.adaptable(weight, form.conv1d ? LayerKind::conv1d : LayerKind::linear, in, out);
  layers_->back().has_bias = form.bias;
  layers_->back().reads = form.reads;
  (*list_)[first].initial_factor = form.initial_factor;
  if (!form.in_files.empty()) {
    const Scope in_files = at(form.in_files);
    for (std::size_t i = first; i < list_->size(); ++i) {
      Parameter& parameter = (*list_)[i];
      parameter.file_name = in_files.full(parameter.name.substr(layer.path_.size() + 1));
    }
  }
  return linear;
}

Norm Scope::norm(std::string_view path, std::int64_t size) const {
  const Scope layer = at(path);
  return {.weight = layer.parameter("weight", {size}, ParameterKind::norm),
          .bias = layer.parameter("bias", {size}, ParameterKind::norm)};
}

Norm Scope::rms_norm(std::string_view path, std::int64_t size, double initial) const {
  const at::Tensor weight = at(path).parameter("weight", {size}, ParameterKind::norm);
  list_->back().initial_factor = initial;
  return {.weight = weight, .bias = {}};
}

Parameter& Scope::registered(const at::Tensor& tensor) const {
  const auto found =
      std::find_if(list_->begin(), list_->end(), [&](const Parameter& p) { return p.tensor.is_same(tensor); });
  if (found == list_->end()) internal_error("the parameter is not registered");
  return *found;
}

at::Tensor Scope::rounded(const at::Tensor& of) const {
  Parameter& parameter = registered(of);
  if (!parameter.rounded.defined()) parameter.rounded = at::empty({0}, at::kBFloat16);
  return parameter.rounded;
}

void Scope::tie(std::string_view name, const at::Tensor& of) const {
  Parameter& tied = registered(of);
  tied.aliases.push_back(full(name));
  tied.by_token = false;
  if (tied.stages.back() != stage_) tied.stages.push_back(stage_);
  register_tensor(full(name), of, of.requires_grad());
}

}  // namespace attune::models
