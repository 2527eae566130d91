// See layer_plan.h.
#include "adapt/layer_plan.h"

#include <algorithm>
#include <set>

#include "adapt/layer_names.h"
#include "adapt/saved_modules.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::LayerKind;

constexpr const char* kAllLinear = "all-linear";

/// Under "all-linear": not what gives the logits.
bool is_inner_linear(const models::AdaptableLayer& layer) {
  return layer.kind != LayerKind::embedding && layer.path != "lm_head";
}

}  // namespace

std::vector<std::string> usual_layers(const std::vector<UsualLayers>& table, const std::string& model_type) {
  for (const UsualLayers& row : table) {
    if (row.model_type == model_type) return row.layers;
  }
  return {};
}

LayerPlanner::LayerPlanner(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names)
    : plan_{.settings = settings, .targets = {}}, loaded_(loaded), names_(names) {}

AdapterPlan LayerPlanner::plan() {
  complete_saved_modules(plan_, loaded_, names_);
  files::NamesOrPattern& targets = choice().targets;
  if (targets.empty()) {
    targets = {};
    targets.names = usual_targets();
    if (targets.names.empty()) {
      refuse("target_modules", concat("there are no usual layers for the model type ", spec().model_type),
             concat("name some, as in ", example_names(), ", or write \"all-linear\""));
    }
  }
  const bool all_linear = to_lower_ascii(targets.pattern) == kAllLinear;
  complete_settings();
  check_settings(all_linear);
  choose(all_linear);
  if (all_must_fit()) check_names();
  if (plan_.targets.empty()) {
    const bool is_named = targets.pattern.empty() && !targets.names.empty();
    refuse("target_modules", "no layer of the model fits", layer_hint(is_named ? targets.names.front() : ""));
  }
  if (all_linear) write_out();
  check_targets();
  settle_orientation();
  check_saved_modules(plan_, *loaded_.model);
  return std::move(plan_);
}

void LayerPlanner::choose(bool all_linear) {
  const LayerNames targets(choice().targets, key_of("target_modules"));
  const LayerNames excluded(choice().excluded, key_of("exclude_modules"));
  for (std::size_t i = 0; i < layers().size(); ++i) {
    const Layer& layer = layers()[i];
    const bool wanted = all_linear ? is_inner_linear(layer) : targets.match(layer.path);
    if (!wanted || excluded.match(layer.path) || plan_.saves(layer.path) || !in_wanted_block(layer.path)) continue;
    plan_.targets.push_back(target(i, layer.path));
  }
}

/// Every name alone must fit a layer that changes.
void LayerPlanner::check_names() {
  for (const std::string& name : choice().targets.names) {
    const auto fits = [&](const ChangedLayer& target) { return is_or_ends_with(layer_of(target).path, name); };
    if (std::any_of(plan_.targets.begin(), plan_.targets.end(), fits)) continue;
    const bool exists = std::any_of(layers().begin(), layers().end(),
                                    [&](const Layer& layer) { return is_or_ends_with(layer.path, name); });
    if (exists) {
      refuse("target_modules", concat("'", name, "' fits only layers that the other settings leave out"),
             "look at exclude_modules, modules_to_save and layers_to_transform");
    }
    refuse("target_modules", concat("no layer of the model is called '", name, "'"), layer_hint(name));
  }
}

/// "all-linear" is a word of one version of one tool: the file names the layers.
void LayerPlanner::write_out() {
  files::NamesOrPattern& names = choice().targets;
  names = {};
  for (const ChangedLayer& target : plan_.targets) names.names.push_back(layer_of(target).path);
  std::sort(names.names.begin(), names.names.end());
  follow_whole_paths();
}

void LayerPlanner::settle_orientation() {
  bool any_conv1d = false, any_linear = false;
  for (const ChangedLayer& target : plan_.targets) {
    any_conv1d |= layer_of(target).kind == LayerKind::conv1d;
    any_linear |= layer_of(target).kind == LayerKind::linear;
  }
  std::optional<bool>& stated = choice().fan_in_fan_out;
  if (all_must_fit() && stated && (*stated ? any_linear : any_conv1d)) {
    refuse("fan_in_fan_out",
           concat("found ", *stated ? "true" : "false", ", the layers store their weights the other way round"),
           "leave it out");
  }
  stated = any_conv1d;
}

void LayerPlanner::refuse(const std::string& key, const std::string& what, const std::string& hint) const {
  refuse_setting(plan_.settings, key, what, hint);
}

std::string LayerPlanner::key_of(const std::string& option) const {
  return concat(block_of_settings(plan_.settings), ".", option);
}

/// The last components of the layers' paths, each once.
std::vector<std::string> LayerPlanner::leaf_names() const {
  std::set<std::string> leaves;
  for (const Layer& layer : layers()) leaves.insert(split(layer.path, '.').back());
  return {leaves.begin(), leaves.end()};
}

std::string LayerPlanner::example_names() const {
  for (const Layer& layer : layers()) {
    if (layer.kind != LayerKind::embedding) return concat("[\"", split(layer.path, '.').back(), "\"]");
  }
  return "[]";
}

std::string LayerPlanner::layer_hint(const std::string& name) const {
  const std::vector<std::string> leaves = leaf_names();
  const std::string nearest = nearest_name(name, leaves);
  return nearest.empty() ? concat("its layers are called ", join(leaves, ", "))
                         : concat("did you mean '", nearest, "'?");
}

}  // namespace attune::adapt
