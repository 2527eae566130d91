// Which layers LoRA changes, and by how much. See attune/adapt/adapter.h.
#include <algorithm>
#include <cmath>

#include "adapt/layer_names.h"
#include "adapt/layer_plan.h"
#include "adapt/plan_kinds.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

/// peft 0.21's TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING for the types that attune has.
const std::vector<UsualLayers>& lora_layers() {
  static const std::vector<UsualLayers> table = {{"bert", {"query", "value"}},
                                                 {"roberta", {"query", "value"}},
                                                 {"xlm-roberta", {"query", "value"}},
                                                 {"electra", {"query", "value"}},
                                                 {"gpt2", {"c_attn"}},
                                                 {"gpt_neox", {"query_key_value"}},
                                                 {"llama", {"q_proj", "v_proj"}},
                                                 {"mistral", {"q_proj", "v_proj"}},
                                                 {"gemma", {"q_proj", "v_proj"}},
                                                 {"gemma2", {"q_proj", "v_proj"}},
                                                 {"gemma3_text", {"q_proj", "v_proj"}},
                                                 {"qwen2", {"q_proj", "v_proj"}},
                                                 {"qwen3", {"q_proj", "v_proj"}}};
  return table;
}

class LoraPlanner : public LayerPlanner {
 public:
  using LayerPlanner::LayerPlanner;

 private:
  const files::LoraSettings& settings() const { return std::get<files::LoraSettings>(plan_.settings); }

  Choice choice() override {
    auto& own = std::get<files::LoraSettings>(plan_.settings);
    return {own.target_modules, own.exclude_modules, own.fan_in_fan_out};
  }

  std::vector<std::string> usual_targets() const override { return usual_layers(lora_layers(), spec().model_type); }

  void check_settings(bool all_linear) const override {
    const files::LoraSettings& own = settings();
    if (!own.layers_to_transform.empty() && !own.target_modules.pattern.empty() && !all_linear) {
      refuse("layers_to_transform", "it cannot be used with a regular expression",
             "name the blocks in target_modules itself");
    }
    if (!own.layers_pattern.empty() && own.layers_to_transform.empty()) {
      refuse("layers_pattern", "it says where layers_to_transform counts, which is not given", "give both or none");
    }
  }

  bool in_wanted_block(const std::string& path) const override {
    const auto& wanted = settings().layers_to_transform;
    const auto& names = settings().target_modules.names;
    if (wanted.empty() || std::find(names.begin(), names.end(), path) != names.end()) return true;
    const auto block = block_of(path, settings().layers_pattern);
    return block && std::find(wanted.begin(), wanted.end(), *block) != wanted.end();
  }

  ChangedLayer target(std::size_t index, const std::string& path) const override {
    const files::LoraSettings& own = settings();
    const double rank = value_by_pattern(own.rank_pattern, path, static_cast<double>(own.r), key_of("rank_pattern"));
    const double alpha = value_by_pattern(own.alpha_pattern, path, own.lora_alpha, key_of("alpha_pattern"));
    if (rank != std::floor(rank))
      refuse("rank_pattern", concat("the rank ", format_number(rank), " is no whole number"), "");
    return {.layer = index,
            .rank = static_cast<std::int64_t>(rank),
            .scale = alpha / (own.use_rslora ? std::sqrt(rank) : rank)};
  }

  void check_targets() const override {
    if (all_must_fit()) {
      check_pattern_keys("rank_pattern", settings().rank_pattern);
      check_pattern_keys("alpha_pattern", settings().alpha_pattern);
    }
    if (!settings().use_dora) return;
    for (const ChangedLayer& target : plan_.targets) {
      if (layer_of(target).kind != models::LayerKind::embedding) continue;
      refuse("use_dora", concat("'", layer_of(target).path, "' is an embedding, which has no DoRA here"),
             "leave it out of target_modules");
    }
  }

  void check_pattern_keys(const std::string& option, const std::map<std::string, double>& values) const {
    for (const auto& [key, value] : values) {
      const std::map<std::string, double> alone = {{key, 1.0}};
      const auto fits = [&](const ChangedLayer& target) {
        return value_by_pattern(alone, layer_of(target).path, 0.0, key_of(option)) == 1.0;
      };
      if (std::any_of(plan_.targets.begin(), plan_.targets.end(), fits)) continue;
      refuse(option, concat("'", key, "' matches no layer that changes"), layer_hint(key));
    }
  }
};

}  // namespace

AdapterPlan plan_lora(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names) {
  return LoraPlanner(loaded, settings, names).plan();
}

}  // namespace attune::adapt
