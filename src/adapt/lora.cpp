// What LoRA does to a model. See attune/adapt/adapter.h; which layers it changes is decided in lora_plan.cpp.
#include "attune/adapt/adapter.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::AdaptableLayer;
using models::LayerKind;
using models::Parameter;
using models::ParameterKind;

constexpr int kFirstSite = 1 << 20;  // of dropout: behind all sites that a network numbers itself

/// numbers(i) for every element, row-major.
template <class Numbers>
at::Tensor filled(std::vector<std::int64_t> shape, const Numbers& numbers) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  auto* out = tensor.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) out[i] = static_cast<float>(numbers(static_cast<std::uint64_t>(i)));
  return tensor;
}

/// Attaches the change of one layer.
class Attachment {
 public:
  Attachment(models::Model& model, const AdaptableLayer& layer, const LoraTarget& target, const LoraOptions& options)
      : model_(model), layer_(layer), target_(target), options_(options) {}

  void attach(std::uint64_t seed) {
    models::LayerChange change{.a = {},
                           .b = {},
                           .magnitude = {},
                           .scale = target_.scale,
                           .dropout = layer_.kind == LayerKind::embedding ? 0.0 : options_.lora_dropout,
                           .site = kFirstSite + static_cast<int>(target_.layer)};
    const bool embedding = layer_.kind == LayerKind::embedding;
    const std::string a = embedding ? ".lora_embedding_A" : ".lora_A.weight";
    const std::string b = embedding ? ".lora_embedding_B" : ".lora_B.weight";
    change.a = add(layer_.path + a, initial_a(layer_.path + a, seed));
    change.b = add(layer_.path + b, initial_b(layer_.path + b, seed));
    *layer_.change = change;
    // After A and B: with B = 0 the norms are those of the weight itself.
    if (options_.use_dora) {
      layer_.change->magnitude = add(layer_.path + ".lora_magnitude_vector", models::output_norms(layer_));
    }
  }

 private:
  at::Tensor add(const std::string& name, const at::Tensor& value) {
    const at::Tensor tensor = value.to(layer_.weight.device());
    model_.parameters().push_back({.name = name,
                                   .shape = value.sizes().vec(),
                                   .tensor = tensor,
                                   .stages = {layer_.stage},
                                   .kind = ParameterKind::adapter,
                                   .aliases = {},
                                   .with_adapter = true,
                                   .padding_row = std::nullopt,
                                   .file_name = name});
    return tensor;
  }

  /// torch's kaiming_uniform with a = sqrt(5), which is U(-1/sqrt(in), 1/sqrt(in)), or N(0, 1/r²).
  at::Tensor initial_a(const std::string& name, std::uint64_t seed) const {
    if (layer_.kind == LayerKind::embedding) return at::zeros({target_.rank, layer_.in}, at::kFloat);
    const RandomKey key(seed, concat("initialise/", name));
    if (options_.init_lora_weights == "gaussian") {
      const double deviation = 1.0 / static_cast<double>(target_.rank);
      return filled({target_.rank, layer_.in}, [&](std::uint64_t i) { return deviation * key.normal(i); });
    }
    const double bound = 1.0 / std::sqrt(static_cast<double>(layer_.in));
    return filled({target_.rank, layer_.in}, [&](std::uint64_t i) { return bound * (2.0 * key.uniform(i) - 1.0); });
  }

  at::Tensor initial_b(const std::string& name, std::uint64_t seed) const {
    if (layer_.kind != LayerKind::embedding) return at::zeros({layer_.out, target_.rank}, at::kFloat);
    const RandomKey key(seed, concat("initialise/", name));
    return filled({layer_.out, target_.rank}, [&](std::uint64_t i) { return key.normal(i); });
  }

  models::Model& model_;
  const AdaptableLayer& layer_;
  const LoraTarget& target_;
  const LoraOptions& options_;
};

bool is_bias(const Parameter& parameter) {
  return parameter.kind != ParameterKind::buffer && parameter.name.ends_with("bias");
}

/// What trains beside A and B: saved modules, and the biases that `bias` names.
void mark_others(models::Model& model, const LoraPlan& plan) {
  for (Parameter& parameter : model.parameters()) {
    if (parameter.kind == ParameterKind::buffer) continue;
    const std::string module = parameter.name.substr(0, std::min(parameter.name.rfind('.'), parameter.name.size()));
    const bool in_target = std::any_of(plan.targets.begin(), plan.targets.end(), [&](const LoraTarget& target) {
      return model.adaptable_layers()[target.layer].path == module;
    });
    const std::string& bias = plan.options.bias;
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

}  // namespace

void attach_lora(models::LoadedModel& loaded, const LoraPlan& plan, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  models::Model& model = *loaded.model;
  mark_others(model, plan);
  for (const LoraTarget& target : plan.targets) {
    const AdaptableLayer& layer = model.adaptable_layers()[target.layer];
    if (*layer.change) internal_error("attach_lora: the model has an adapter already");
    Attachment(model, layer, target, plan.options).attach(seed);
  }
}

std::vector<std::string> shared_targets(const models::Model& model) {
  std::vector<std::string> paths;
  for (const AdaptableLayer& layer : model.adaptable_layers()) {
    if (*layer.change && is_shared(model, layer.weight)) paths.push_back(layer.path);
  }
  return paths;
}

void merge_lora(models::LoadedModel& loaded) {
  const at::NoGradGuard no_grad;
  models::Model& model = *loaded.model;
  for (const AdaptableLayer& layer : model.adaptable_layers()) {
    if (!*layer.change) continue;
    if (is_shared(model, layer.weight)) {
      throw Error(ErrorKind::model,
                  {.file = loaded.folder,
                   .what = "the adapter changes a weight that another layer shares, which would change too",
                   .where = "tensor " + layer.path + ".weight",
                   .hint = "use the adapter as it is"});
    }
    at::Tensor weight = layer.weight;  // a handle: set_data reaches the parameter
    weight.set_data((weight.to(at::kFloat) + models::weight_change(layer)).contiguous());
    *layer.change = {};
  }
  std::erase_if(model.parameters(),
                [](const Parameter& parameter) { return parameter.kind == ParameterKind::adapter; });
  model.set_execution(model.execution());  // the copies that products read follow
  loaded.dtype = at::kFloat;
}

}  // namespace attune::adapt
