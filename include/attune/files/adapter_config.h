// adapter_config.json as PEFT writes it, for the kinds of adapters that attune has: the settings, and the file both
// ways. Knows no model: whether the names in it fit one is the business of module adapt.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
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

/// PEFT's IA3Config.
struct Ia3Settings {
  NamesOrPattern target_modules;       ///< empty = those usual for the model type
  NamesOrPattern feedforward_modules;  ///< those whose input is scaled; empty = those usual among the targets
  NamesOrPattern exclude_modules;
  std::vector<std::string> modules_to_save;
  std::optional<bool> fan_in_fan_out;  ///< default: as the layers store their weights
  bool init_ia3_weights = true;

  bool operator==(const Ia3Settings&) const = default;
};

/// What PEFT's configurations of virtual tokens have in common.
struct VirtualTokenSettings {
  std::int64_t num_virtual_tokens = 20;
  std::vector<std::string> modules_to_save;

  bool operator==(const VirtualTokenSettings&) const = default;
};

/// PEFT's PromptTuningConfig.
struct PromptTuningSettings : VirtualTokenSettings {
  std::string prompt_tuning_init = "RANDOM";  ///< RANDOM, SAMPLE_VOCAB, TEXT
  std::string prompt_tuning_init_text;
  std::string tokenizer_name_or_path;  ///< of the text; "" = the base's

  bool operator==(const PromptTuningSettings&) const = default;
};

/// PEFT's PromptEncoderConfig.
struct PTuningSettings : VirtualTokenSettings {
  std::string encoder_reparameterization_type = "MLP";  ///< MLP, LSTM
  std::optional<std::int64_t> encoder_hidden_size;      ///< default: the width of a token
  std::int64_t encoder_num_layers = 2;                  ///< of the LSTM
  double encoder_dropout = 0;                           ///< between them

  bool operator==(const PTuningSettings&) const = default;
};

/// PEFT's PrefixTuningConfig.
struct PrefixTuningSettings : VirtualTokenSettings {
  bool prefix_projection = false;
  std::optional<std::int64_t> encoder_hidden_size;  ///< default: the width of a key
  std::string init_weights;                         ///< "" = at random, zero

  bool operator==(const PrefixTuningSettings&) const = default;
};

using AdapterSettings =
    std::variant<LoraSettings, Ia3Settings, PromptTuningSettings, PTuningSettings, PrefixTuningSettings>;

/// "LORA", "IA3", "PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING".
std::string peft_type(const AdapterSettings& settings);

std::vector<std::string>& modules_to_save(AdapterSettings& settings);
const std::vector<std::string>& modules_to_save(const AdapterSettings& settings);

/// The settings of virtual tokens; null for adapters that have none.
const VirtualTokenSettings* virtual_token_settings(const AdapterSettings& settings);

/// The model's side of virtual tokens, which PEFT's files repeat.
struct VirtualTokenShape {
  std::int64_t token_dim = 0, num_layers = 0, num_attention_heads = 0;
};

struct AdapterConfig {
  AdapterSettings settings;
  std::string base;                             ///< base_model_name_or_path
  std::string task_type;                        ///< SEQ_CLS, TOKEN_CLS, QUESTION_ANS, CAUSAL_LM, …; "" = none
  std::optional<VirtualTokenShape> shape = {};  ///< written where given
};

/// Throws Error{model} naming `file` and the key: another kind of adapter, a value of the wrong type or range, a
/// variant that changes the computation in a way that nothing here follows. Unknown keys are let through.
AdapterConfig parse_adapter_config(const Json& json, const std::string& file);

/// The file for `config`: its keys over those of `before` (null or the file that the adapter came from), in order.
Json adapter_config_json(const AdapterConfig& config, const Json& before);

}  // namespace attune::files
