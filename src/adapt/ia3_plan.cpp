// Which layers IA3 scales, and whether what they give or what they read. See attune/adapt/adapter.h.
#include <algorithm>

#include "adapt/layer_names.h"
#include "adapt/layer_plan.h"
#include "adapt/plan_kinds.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

/// peft 0.21's TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING for the types that attune has.
const std::vector<UsualLayers>& ia3_layers() {
  static const std::vector<UsualLayers> table = {{"bert", {"key", "value", "output.dense"}},
                                                 {"roberta", {"key", "value", "output.dense"}},
                                                 {"gpt2", {"c_attn", "mlp.c_proj"}},
                                                 {"gpt_neox", {"query_key_value", "dense_4h_to_h"}},
                                                 {"llama", {"k_proj", "v_proj", "down_proj"}},
                                                 {"mistral", {"k_proj", "v_proj", "down_proj"}},
                                                 {"gemma", {"q_proj", "v_proj", "down_proj"}},
                                                 {"gemma2", {"q_proj", "v_proj", "down_proj"}},
                                                 {"gemma3_text", {"q_proj", "v_proj", "down_proj"}},
                                                 {"qwen2", {"q_proj", "v_proj", "down_proj"}},
                                                 {"qwen3", {"q_proj", "v_proj", "down_proj"}}};
  return table;
}

/// peft 0.21's TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING.
const std::vector<UsualLayers>& ia3_feedforward_layers() {
  static const std::vector<UsualLayers> table = {
      {"bert", {"output.dense"}},      {"roberta", {"output.dense"}}, {"gpt2", {"mlp.c_proj"}},
      {"gpt_neox", {"dense_4h_to_h"}}, {"llama", {"down_proj"}},      {"mistral", {"down_proj"}},
      {"gemma", {"down_proj"}},        {"gemma2", {"down_proj"}},     {"gemma3_text", {"down_proj"}},
      {"qwen2", {"down_proj"}},        {"qwen3", {"down_proj"}}};
  return table;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Ia3Planner : public LayerPlanner {
 public:
  using LayerPlanner::LayerPlanner;

 private:
  files::Ia3Settings& settings() { return std::get<files::Ia3Settings>(plan_.settings); }
  const files::Ia3Settings& settings() const { return std::get<files::Ia3Settings>(plan_.settings); }

  Choice choice() override {
    return {settings().target_modules, settings().exclude_modules, settings().fan_in_fan_out};
  }
  std::vector<std::string> usual_targets() const override { return usual_layers(ia3_layers(), spec().model_type); }

  void complete_settings() override {
    files::NamesOrPattern& feedforward = settings().feedforward_modules;
    if (!feedforward.empty() || feedforward.is_empty_list) return;
    // PEFT opens no file whose feed-forward layers are not all among the targets.
    const files::NamesOrPattern& targets = settings().target_modules;
    const std::vector<std::string> usual = usual_layers(ia3_feedforward_layers(), spec().model_type);
    if (usual.empty()) {
      refuse("feedforward_modules",
             concat("it is not known which layers of the model type ", spec().model_type, " are fed forward"),
             "name those whose input is to be scaled, or write []");
    }
    for (const std::string& name : usual) {
      if (!targets.pattern.empty() || contains(targets.names, name)) feedforward.names.push_back(name);
    }
    feedforward.is_empty_list = feedforward.names.empty();
  }

  void check_settings(bool /*all_linear*/) const override {
    const files::NamesOrPattern& targets = settings().target_modules;
    if (!targets.pattern.empty()) return;
    for (const std::string& name : settings().feedforward_modules.names) {
      if (contains(targets.names, name)) continue;
      refuse("feedforward_modules", concat("'", name, "' is not among target_modules"),
             "name it there too, in the same way");
    }
  }

  ChangedLayer target(std::size_t index, const std::string& path) const override {
    return {.layer = index, .scales_input = is_fed_forward(path)};
  }

  /// As PEFT has it, a name is the end of a path and no whole components.
  bool is_fed_forward(const std::string& path) const {
    const files::NamesOrPattern& feedforward = settings().feedforward_modules;
    if (!feedforward.pattern.empty()) return LayerNames(feedforward, key_of("feedforward_modules")).match(path);
    return std::any_of(feedforward.names.begin(), feedforward.names.end(),
                       [&](const std::string& name) { return path.ends_with(name); });
  }

  void follow_whole_paths() override {
    files::NamesOrPattern& feedforward = settings().feedforward_modules;
    feedforward = {};
    for (const ChangedLayer& target : plan_.targets) {
      if (target.scales_input) feedforward.names.push_back(layer_of(target).path);
    }
    std::sort(feedforward.names.begin(), feedforward.names.end());
    feedforward.is_empty_list = feedforward.names.empty();
  }

  void check_targets() const override {
    for (const ChangedLayer& target : plan_.targets) {
      if (layer_of(target).kind != models::LayerKind::embedding) continue;
      refuse("target_modules", concat("'", layer_of(target).path, "' is an embedding, which IA3 does not scale"),
             "leave it out");
    }
  }
};

}  // namespace

AdapterPlan plan_ia3(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names) {
  return Ia3Planner(loaded, settings, names).plan();
}

}  // namespace attune::adapt
