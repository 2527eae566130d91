// plan_lora of attune/adapt/adapter.h.
#include <algorithm>
#include <cmath>
#include <set>

#include "adapt/layer_names.h"
#include "attune/adapt/adapter.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::AdaptableLayer;
using models::LayerKind;
using models::Parameter;

constexpr const char* kAllLinear = "all-linear";

struct Defaults {
  const char* model_type;
  std::vector<std::string> targets;
};

/// peft 0.21's TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING for the types that attune has.
const std::vector<Defaults>& defaults_table() {
  static const std::vector<Defaults> table = {{"bert", {"query", "value"}},
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

[[noreturn]] void refuse_lora(const std::string& key, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = "tuning.lora." + key, .hint = hint});
}

/// The heads that PEFT's classes for a task save.
std::vector<std::string> heads_saved(models::Task task) {
  switch (task) {
    case models::Task::sequence_classification:
    case models::Task::token_classification:
      return {"classifier", "score"};
    case models::Task::question_answering:
      return {"qa_outputs"};
    default:
      return {};
  }
}

class Planner {
 public:
  Planner(const models::LoadedModel& loaded, const LoraOptions& options, Names names)
      : model_(*loaded.model), report_(loaded.report), names_(names) {
    plan_.options = options;
  }

  LoraPlan plan() {
    complete_saved();
    const bool is_usual = plan_.options.target_modules.empty();
    if (is_usual) set_usual_targets();
    const bool all_linear = to_lower_ascii(plan_.options.target_modules.pattern) == kAllLinear;
    check_block_settings(all_linear);
    choose(all_linear);
    if (names_ == Names::all_must_fit) check_names();
    if (plan_.targets.empty()) refuse_lora("target_modules", "no layer of the model fits", layer_hint(first_target()));
    if (all_linear) write_out();
    check_layers();
    check_shared();
    return std::move(plan_);
  }

 private:
  const std::vector<AdaptableLayer>& layers() const { return model_.adaptable_layers(); }
  const AdaptableLayer& layer_of(const LoraTarget& target) const { return layers()[target.layer]; }

  void complete_saved() {
    std::vector<std::string>& saved = plan_.options.modules_to_save;
    if (names_ == Names::all_must_fit) check_saved_names(saved);
    const auto add = [&](const std::string& name) {
      if (std::find(saved.begin(), saved.end(), name) == saved.end()) saved.push_back(name);
    };
    for (const std::string& head : heads_saved(model_.spec().task)) add(head);
    // What the checkpoint lacked started as noise that nobody else can have: without it the adapter is worth nothing.
    for (const std::string& tensor : report_.newly_initialised) {
      const bool exists = std::any_of(model_.parameters().begin(), model_.parameters().end(), [&](const Parameter& p) {
        return p.name == tensor && p.kind != models::ParameterKind::buffer;
      });
      if (exists && !plan_.saves(module_of(tensor))) add(module_of(tensor));
    }
  }

  void check_saved_names(const std::vector<std::string>& saved) const {
    for (const std::string& name : saved) {
      LoraPlan alone;
      alone.options.modules_to_save = {name};
      const auto& all = model_.parameters();
      if (std::any_of(all.begin(), all.end(), [&](const Parameter& p) { return alone.saves(module_of(p.name)); }))
        continue;
      std::vector<std::string> modules;
      for (const Parameter& parameter : all) modules.push_back(module_of(parameter.name));
      refuse_lora("modules_to_save", concat("no module of the model is called '", name, "'"), nearest_hint(name, modules));
    }
  }

  void set_usual_targets() {
    plan_.options.target_modules.names = default_target_modules(model_.spec().model_type);
    if (!plan_.options.target_modules.names.empty()) return;
    refuse_lora("target_modules", concat("there are no usual layers for the model type ", model_.spec().model_type),
           concat("name some, as in ", example_names(), ", or write \"all-linear\""));
  }

  void check_block_settings(bool all_linear) const {
    const LoraOptions& o = plan_.options;
    if (!o.layers_to_transform.empty() && !o.target_modules.pattern.empty() && !all_linear) {
      refuse_lora("layers_to_transform", "it cannot be used with a regular expression",
             "name the blocks in target_modules itself");
    }
    if (!o.layers_pattern.empty() && o.layers_to_transform.empty()) {
      refuse_lora("layers_pattern", "it says where layers_to_transform counts, which is not given", "give both or none");
    }
  }

  void choose(bool all_linear) {
    const LoraOptions& o = plan_.options;
    const LayerNames targets(o.target_modules, "tuning.lora.target_modules");
    const LayerNames excluded(o.exclude_modules, "tuning.lora.exclude_modules");
    for (std::size_t i = 0; i < layers().size(); ++i) {
      const AdaptableLayer& layer = layers()[i];
      const bool wanted = all_linear ? is_inner_linear(layer) : targets.match(layer.path);
      if (!wanted || excluded.match(layer.path) || plan_.saves(layer.path) || !in_wanted_block(layer.path)) continue;
      plan_.targets.push_back(target(i, layer.path));
    }
  }

  /// Under "all-linear": not what gives the logits.
  bool is_inner_linear(const AdaptableLayer& layer) const {
    return layer.kind != LayerKind::embedding && layer.path != "lm_head";
  }

  bool in_wanted_block(const std::string& path) const {
    const auto& wanted = plan_.options.layers_to_transform;
    const auto& names = plan_.options.target_modules.names;
    if (wanted.empty() || std::find(names.begin(), names.end(), path) != names.end()) return true;
    const auto block = block_of(path, plan_.options.layers_pattern);
    return block && std::find(wanted.begin(), wanted.end(), *block) != wanted.end();
  }

  LoraTarget target(std::size_t index, const std::string& path) const {
    const LoraOptions& o = plan_.options;
    const double rank = value_by_pattern(o.rank_pattern, path, static_cast<double>(o.r), "tuning.lora.rank_pattern");
    const double alpha = value_by_pattern(o.alpha_pattern, path, o.lora_alpha, "tuning.lora.alpha_pattern");
    if (rank != std::floor(rank))
      refuse_lora("rank_pattern", concat("the rank ", format_number(rank), " is no whole number"), "");
    return {.layer = index,
            .rank = static_cast<std::int64_t>(rank),
            .scale = alpha / (o.use_rslora ? std::sqrt(rank) : rank)};
  }

  /// Every name alone must fit a layer that changes.
  void check_names() const {
    for (const std::string& name : plan_.options.target_modules.names) {
      const auto fits = [&](const LoraTarget& target) { return is_or_ends_with(layer_of(target).path, name); };
      if (std::any_of(plan_.targets.begin(), plan_.targets.end(), fits)) continue;
      const bool exists = std::any_of(layers().begin(), layers().end(),
                                      [&](const AdaptableLayer& layer) { return is_or_ends_with(layer.path, name); });
      if (exists) {
        refuse_lora("target_modules", concat("'", name, "' fits only layers that the other settings leave out"),
               "look at exclude_modules, modules_to_save and layers_to_transform");
      }
      refuse_lora("target_modules", concat("no layer of the model is called '", name, "'"), layer_hint(name));
    }
    check_pattern_keys("rank_pattern", plan_.options.rank_pattern);
    check_pattern_keys("alpha_pattern", plan_.options.alpha_pattern);
  }

  void check_pattern_keys(const std::string& option, const std::map<std::string, double>& values) const {
    for (const auto& [key, value] : values) {
      const std::map<std::string, double> alone = {{key, 1.0}};
      const auto fits = [&](const LoraTarget& target) {
        return value_by_pattern(alone, layer_of(target).path, 0.0, "tuning.lora." + option) == 1.0;
      };
      if (std::any_of(plan_.targets.begin(), plan_.targets.end(), fits)) continue;
      refuse_lora(option, concat("'", key, "' matches no layer that changes"), layer_hint(key));
    }
  }

  /// "all-linear" is a word of one version of one tool: the file names the layers.
  void write_out() {
    files::NamesOrPattern& names = plan_.options.target_modules;
    names = {};
    for (const LoraTarget& target : plan_.targets) names.names.push_back(layer_of(target).path);
    std::sort(names.names.begin(), names.names.end());
  }

  void check_layers() {
    bool any_conv1d = false, any_linear = false;
    for (const LoraTarget& target : plan_.targets) {
      const AdaptableLayer& layer = layer_of(target);
      any_conv1d |= layer.kind == LayerKind::conv1d;
      any_linear |= layer.kind == LayerKind::linear;
      if (layer.kind == LayerKind::embedding && plan_.options.use_dora) {
        refuse_lora("use_dora", concat("'", layer.path, "' is an embedding, which has no DoRA here"),
               "leave it out of target_modules");
      }
    }
    std::optional<bool>& stated = plan_.options.fan_in_fan_out;
    if (names_ == Names::all_must_fit && stated && (*stated ? any_linear : any_conv1d)) {
      refuse_lora("fan_in_fan_out",
             concat("found ", *stated ? "true" : "false", ", the layers store their weights the other way round"),
             "leave it out");
    }
    stated = any_conv1d;
  }

  void check_shared() const {
    for (const Parameter& parameter : model_.parameters()) {
      if (parameter.aliases.empty() || !plan_.saves(module_of(parameter.name))) continue;
      refuse_lora("modules_to_save", concat("'", parameter.name, "' is shared with '", parameter.aliases.front(), "'"),
             "PEFT would train a copy of one of the two; use method \"full\" or leave the module out");
    }
  }

  std::string first_target() const {
    const auto& targets = plan_.options.target_modules;
    return targets.pattern.empty() && !targets.names.empty() ? targets.names.front() : "";
  }

  /// The last components of the layers' paths, each once.
  std::vector<std::string> leaf_names() const {
    std::set<std::string> leaves;
    for (const AdaptableLayer& layer : layers()) leaves.insert(split(layer.path, '.').back());
    return {leaves.begin(), leaves.end()};
  }

  std::string example_names() const {
    for (const AdaptableLayer& layer : layers()) {
      if (layer.kind != LayerKind::embedding) return concat("[\"", split(layer.path, '.').back(), "\"]");
    }
    return "[]";
  }

  static std::string nearest_hint(const std::string& name, const std::vector<std::string>& paths) {
    std::set<std::string> leaves(paths.begin(), paths.end());
    for (const std::string& path : paths) {
      for (const std::string& component : split(path, '.')) leaves.insert(component);
    }
    const std::vector<std::string> all(leaves.begin(), leaves.end());
    const std::string nearest = nearest_name(name, all);
    return nearest.empty() ? concat("modules look like '", all.empty() ? "" : all.back(), "'")
                           : concat("did you mean '", nearest, "'?");
  }

  std::string layer_hint(const std::string& name) const {
    const std::vector<std::string> leaves = leaf_names();
    const std::string nearest = nearest_name(name, leaves);
    return nearest.empty() ? concat("its layers are called ", join(leaves, ", "))
                           : concat("did you mean '", nearest, "'?");
  }

  const models::Model& model_;
  const models::LoadReport& report_;
  Names names_;
  LoraPlan plan_;
};

}  // namespace

bool LoraPlan::saves(const std::string& path) const {
  // As PEFT has it, by the end of a path and not by whole components: "classifier" saves "pre_classifier" too.
  for (std::string module = path; !module.empty(); module = module_of(module)) {
    const auto& saved = options.modules_to_save;
    if (std::any_of(saved.begin(), saved.end(), [&](const std::string& name) { return module.ends_with(name); }))
      return true;
  }
  return false;
}

LoraPlan plan_lora(const models::LoadedModel& loaded, const LoraOptions& options, Names names) {
  return Planner(loaded, options, names).plan();
}

std::string peft_task_type(models::Task task) {
  switch (task) {
    case models::Task::sequence_classification:
      return "SEQ_CLS";
    case models::Task::token_classification:
      return "TOKEN_CLS";
    case models::Task::question_answering:
      return "QUESTION_ANS";
    case models::Task::causal_lm:
      return "CAUSAL_LM";
    case models::Task::base:
      return "FEATURE_EXTRACTION";
    case models::Task::masked_lm:
      return "";
  }
  internal_error("peft_task_type: unknown task");
}

std::vector<std::string> default_target_modules(const std::string& model_type) {
  for (const Defaults& row : defaults_table()) {
    if (row.model_type == model_type) return row.targets;
  }
  return {};
}

}  // namespace attune::adapt
