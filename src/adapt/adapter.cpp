// What adapters of all kinds do to a model. See attune/adapt/adapter.h; what changes is decided in the plan.
#include "attune/adapt/adapter.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "adapt/attach.h"
#include "adapt/layer_names.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::AdaptableLayer;
using models::Parameter;
using models::ParameterKind;

bool is_bias(const Parameter& parameter) {
  return parameter.kind != ParameterKind::buffer && parameter.name.ends_with("bias");
}

/// What trains beside the adapter's own parameters: saved modules, and the biases that LoRA's `bias` names.
void mark_others(models::Model& model, const AdapterPlan& plan) {
  const auto* lora = std::get_if<files::LoraSettings>(&plan.settings);
  const std::string bias = lora != nullptr ? lora->bias : "none";
  for (Parameter& parameter : model.parameters()) {
    if (parameter.kind == ParameterKind::buffer) continue;
    const std::string module = module_of(parameter.name);
    const bool in_target = std::any_of(plan.targets.begin(), plan.targets.end(), [&](const ChangedLayer& target) {
      return model.adaptable_layers()[target.layer].path == module;
    });
    const bool bias_trains = is_bias(parameter) && (bias == "all" || (bias == "lora_only" && in_target));
    parameter.with_adapter = parameter.with_adapter || bias_trains || plan.saves(module);
  }
}

bool is_shared(const models::Model& model, const at::Tensor& weight) {
  const auto& all = model.parameters();
  return std::any_of(all.begin(), all.end(), [&](const Parameter& parameter) {
    return parameter.tensor.is_same(weight) && !parameter.aliases.empty();
  });
}

bool has_adapter(const models::Model& model) {
  const auto& layers = model.adaptable_layers();
  return model.virtual_tokens() != nullptr ||
         std::any_of(layers.begin(), layers.end(),
                     [](const AdaptableLayer& layer) { return static_cast<bool>(*layer.change); });
}

/// Gives the bias of a layer whose outputs are scaled the scale too.
void merge_bias(models::Model& model, const AdaptableLayer& layer) {
  const models::LayerChange& change = *layer.change;
  if (!layer.has_bias || !change.gain.defined() || change.gain_of_input) return;
  for (Parameter& parameter : model.parameters()) {
    if (parameter.name != layer.path + ".bias") continue;
    parameter.tensor.set_data(parameter.tensor.to(at::kFloat) * change.gain.flatten());
  }
}

}  // namespace

at::Tensor uniform_start(const std::vector<std::int64_t>& shape, std::int64_t in, const RandomKey& key) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  return filled(shape, [&](std::uint64_t i) { return bound * (2.0 * key.uniform(i) - 1.0); });
}

at::Tensor normal_start(const std::vector<std::int64_t>& shape, double deviation, const RandomKey& key) {
  return filled(shape, [&](std::uint64_t i) { return deviation * key.normal(i); });
}

at::Tensor add_parameter(models::Model& model, const std::string& name, const at::Tensor& value,
                         std::vector<int> stages) {
  const at::Tensor tensor = value.to(model.execution().device);
  model.parameters().push_back({.name = name,
                                .shape = value.sizes().vec(),
                                .tensor = tensor,
                                .stages = std::move(stages),
                                .kind = ParameterKind::adapter,
                                .aliases = {},
                                .with_adapter = true,
                                .padding_row = std::nullopt,
                                .file_name = name});
  return tensor;
}

void attach_adapter(models::LoadedModel& loaded, const AdapterPlan& plan, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  models::Model& model = *loaded.model;
  if (has_adapter(model)) internal_error("attach_adapter: the model has an adapter already");
  mark_others(model, plan);
  if (std::holds_alternative<files::LoraSettings>(plan.settings)) {
    attach_lora(model, plan, seed);
  } else if (std::holds_alternative<files::Ia3Settings>(plan.settings)) {
    attach_ia3(model, plan, seed);
  } else {
    attach_virtual_tokens(loaded, plan, seed);
  }
}

std::vector<std::string> shared_targets(const models::Model& model) {
  std::vector<std::string> paths;
  for (const AdaptableLayer& layer : model.adaptable_layers()) {
    if (*layer.change && is_shared(model, layer.weight)) paths.push_back(layer.path);
  }
  return paths;
}

void check_mergeable(const models::LoadedModel& loaded) {
  if (loaded.model->virtual_tokens()) {
    throw Error(ErrorKind::usage,
                {.file = loaded.folder,
                 .what = "virtual tokens before every text cannot be merged: no weight of the model stands for them",
                 .where = "",
                 .hint = "use the adapter as it is"});
  }
  const std::vector<std::string> shared = shared_targets(*loaded.model);
  if (shared.empty()) return;
  throw Error(ErrorKind::model,
              {.file = loaded.folder,
               .what = "the adapter changes a weight that another layer shares, which would change too",
               .where = "tensor " + shared.front() + ".weight",
               .hint = "use the adapter as it is"});
}

void merge_adapter(models::LoadedModel& loaded) {
  const at::NoGradGuard no_grad;
  check_mergeable(loaded);
  models::Model& model = *loaded.model;
  for (const AdaptableLayer& layer : model.adaptable_layers()) {
    if (!*layer.change) continue;
    at::Tensor weight = layer.weight;  // a handle: set_data reaches the parameter
    weight.set_data(models::changed_weight(layer));
    merge_bias(model, layer);
    *layer.change = {};
  }
  std::erase_if(model.parameters(),
                [](const Parameter& parameter) { return parameter.kind == ParameterKind::adapter; });
  model.set_execution(model.execution());  // the copies that products read follow
  loaded.dtype = at::kFloat;
}

}  // namespace attune::adapt
