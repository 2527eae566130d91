// adapter_config.json as PEFT writes it, for LoRA and its relatives: the settings, and the file both ways. Knows no
// model: whether the names in it fit one is the business of module adapt.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attune/files/json.h"

namespace attune::files {

/// Names, or one text: a regular expression, or a word that stands for names ("all-linear").
struct NamesOrPattern {
  std::vector<std::string> names;
  std::string pattern;
  bool is_empty_list = false;  ///< nothing was named, in so many words

  bool empty() const { return names.empty() && pattern.empty(); }
  bool operator==(const NamesOrPattern&) const = default;
};

/// PEFT's LoraConfig, under its names and with its defaults.
struct LoraSettings {
  std::int64_t r = 8;
  double lora_alpha = 8;
  double lora_dropout = 0;
  bool use_rslora = false;
  bool use_dora = false;
  NamesOrPattern target_modules;  ///< empty = those usual for the model type
  NamesOrPattern exclude_modules;
  std::vector<std::string> modules_to_save;
  std::string bias = "none";           ///< none, all, lora_only
  std::optional<bool> fan_in_fan_out;  ///< default: as the layers store their weights
  std::vector<std::int64_t> layers_to_transform;
  std::vector<std::string> layers_pattern;
  std::map<std::string, double> rank_pattern;
  std::map<std::string, double> alpha_pattern;
  std::string init_lora_weights = "true";  ///< true, gaussian

  bool operator==(const LoraSettings&) const = default;
};

struct AdapterConfig {
  LoraSettings lora;
  std::string base;       ///< base_model_name_or_path
  std::string task_type;  ///< SEQ_CLS, TOKEN_CLS, QUESTION_ANS, CAUSAL_LM, …; "" = none
};

/// Throws Error{model} naming `file` and the key: another kind of adapter, a value of the wrong type or range, a
/// variant that changes the computation in a way that nothing here follows. Unknown keys are let through.
AdapterConfig parse_adapter_config(const Json& json, const std::string& file);

/// The file for `config`: its keys over those of `before` (null or the file that the adapter came from), in order.
Json adapter_config_json(const AdapterConfig& config, const Json& before);

}  // namespace attune::files
