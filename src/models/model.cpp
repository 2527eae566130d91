// What holds for every model. See attune/models/model.h.
#include "attune/models/model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <utility>

#include "attune/base/strings.h"
#include "attune/tensor/device.h"
#include "attune/tensor/weights.h"

namespace attune::models {

namespace {

/// Whether `part` occurs in `name` so that it ends at a dot or at the end, and, if `whole`, also begins so.
bool has_component(const std::string& name, std::string_view part, bool whole) {
  for (std::size_t at = name.find(part); at != std::string::npos; at = name.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    const bool ends = end == name.size() || name[end] == '.';
    const bool begins = !whole || at == 0 || name[at - 1] == '.';
    if (ends && begins) return true;
  }
  return false;
}

}  // namespace

at::Tensor Rows::of(const at::Tensor& x) const {
  return index.defined() ? at::index_select(x, 0, index) : x;
}

bool decays(const Parameter& parameter) {
  if (parameter.kind == ParameterKind::norm || parameter.kind == ParameterKind::buffer) return false;
  const std::string name = to_lower_ascii(parameter.name);
  for (const char* part : {"bias", "layernorm", "rmsnorm"}) {
    if (name.find(part) != std::string::npos) return false;
  }
  return !has_component(name, "norm", true) && !has_component(name, "_norm", false);
}

const std::vector<AdaptableLayer>& Model::adaptable_layers() const {
  static const std::vector<AdaptableLayer> none;
  return none;
}

std::int64_t Model::positions_for_texts() const {
  return spec().max_tokens() - (virtual_tokens_ ? virtual_tokens_->count : 0);
}

void Model::set_execution(const Execution& execution) {
  execution_ = execution;
  for (Parameter& parameter : parameters()) set_values(parameter, parameter.tensor.detach().to(execution.device));
}

void Model::set_values(Parameter& parameter, const at::Tensor& values) const {
  parameter.tensor.set_data(values);
  if (!parameter.rounded.defined()) return;
  const at::NoGradGuard no_grad;
  const bool wanted = execution_.precision == nn::Precision::bfloat16;
  parameter.rounded.set_data(wanted ? values.detach().to(at::kBFloat16) : at::empty({0}, at::kBFloat16));
  release_pages(parameter);
}

void release_pages(const Parameter& parameter) {
  if (parameter.has_copy() && !parameter.rounded.is_alias_of(parameter.tensor)) tensor::release_pages(parameter.tensor);
}

Input to_device(Input input, const at::Device& device) {
  for (at::Tensor* x : {&input.ids, &input.positions, &input.segments, &input.dropout.token_keys, &input.wanted}) {
    if (x->defined()) *x = tensor::on_device(*x, device);
  }
  input.layout = nn::to_device(std::move(input.layout), device);
  if (input.keys) {
    if (input.keys->index.defined()) input.keys->index = tensor::on_device(input.keys->index, device);
    input.keys->layout = nn::to_device(std::move(input.keys->layout), device);
  }
  return input;
}

Output forward(const Model& model, const Context& context) {
  return forward_from(model, context, 0, {});
}

Output forward_from(const Model& model, const Context& context, int stage, State state) {
  const nn::PrecisionGuard precision(model.execution().precision);
  if (stage == 0) state = model.embed(context);
  for (int i = std::max(stage - 1, 0); i < model.depth(); ++i) state = model.block(i, state, context);
  return model.head(state, context);
}

}  // namespace attune::models
