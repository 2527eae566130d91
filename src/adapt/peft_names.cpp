// See peft_names.h. Follows peft 0.21's utils/save_and_load.py.
#include "adapt/peft_names.h"

#include <algorithm>
#include <string_view>

#include "adapt/layer_names.h"
#include "attune/adapt/peft.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::AdaptableLayer;
using models::Parameter;

constexpr std::string_view kPromptEncoder = "prompt_encoder.";

/// In front of a module's path. Where layers change, a model of PEFT's own lies around the base.
const char* prefix_of(const models::Model& model) {
  return model.virtual_tokens() ? "base_model." : "base_model.model.";
}

/// The changed layer whose own tensor this is, or null.
const AdaptableLayer* changed_layer(const Parameter& parameter, const models::Model& model) {
  if (parameter.kind == models::ParameterKind::adapter) return nullptr;
  const std::string module = module_of(parameter.name);
  const auto& layers = model.adaptable_layers();
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const AdaptableLayer& layer) { return *layer.change && layer.path == module; });
  return found == layers.end() ? nullptr : &*found;
}

/// The names by which PEFT knows embeddings.
bool is_known_embedding(const std::string& path) {
  const std::string leaf = split(path, '.').back();
  return leaf == "embed_tokens" || leaf == "lm_head";
}

}  // namespace

bool of_virtual_tokens(const Parameter& parameter) {
  return parameter.kind == models::ParameterKind::adapter && parameter.name.starts_with(kPromptEncoder);
}

bool has_prompt_network(const models::Model& model) {
  return std::count_if(model.parameters().begin(), model.parameters().end(), of_virtual_tokens) > 1;
}

std::string peft_name(const Parameter& parameter, const models::Model& model) {
  if (of_virtual_tokens(parameter)) return has_prompt_network(model) ? parameter.name : kVirtualTokens;
  if (changed_layer(parameter, model) == nullptr) return prefix_of(model) + parameter.name;
  const std::string module = module_of(parameter.name);
  return concat(prefix_of(model), module, ".base_layer", parameter.name.substr(module.size()));
}

std::vector<const Parameter*> embeddings_written(const models::Model& model) {
  std::vector<const Parameter*> written;
  for (const Parameter& parameter : model.parameters()) {
    const AdaptableLayer* layer = changed_layer(parameter, model);
    if (layer == nullptr || parameter.with_adapter || !is_known_embedding(layer->path)) continue;
    written.push_back(&parameter);
  }
  return written;
}

std::string saved_module(const Parameter& parameter, const AdapterPlan& plan) {
  if (parameter.kind == models::ParameterKind::adapter) return "";
  std::string outermost;
  for (std::string module = module_of(parameter.name); !module.empty(); module = module_of(module)) {
    const auto& saved = files::modules_to_save(plan.settings);
    const auto ends = [&](const std::string& name) { return module.ends_with(name); };
    if (std::any_of(saved.begin(), saved.end(), ends)) outermost = module;
  }
  return outermost;
}

std::vector<WrapperBias> wrapper_biases(const models::Model& model, const AdapterPlan& plan) {
  std::vector<WrapperBias> biases;
  const auto* lora = std::get_if<files::LoraSettings>(&plan.settings);
  if (lora == nullptr || lora->bias != "all") return biases;
  for (const Parameter& parameter : model.parameters()) {
    const std::string module = saved_module(parameter, plan);
    if (module.empty() || !parameter.name.ends_with("bias")) continue;
    const std::string rest = parameter.name.substr(module.size());
    biases.push_back({.trained = concat(prefix_of(model), module, ".modules_to_save", rest),
                      .original = concat(prefix_of(model), module, ".original_module", rest)});
  }
  return biases;
}

}  // namespace attune::adapt
