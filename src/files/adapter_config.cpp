// See adapter_config.h; what LoRA has of its own is in lora_config.cpp.
#include "attune/files/adapter_config.h"

#include <type_traits>

#include "adapter_reader.h"

namespace attune::files {

namespace {

constexpr double kMostTokens = 1 << 20;
constexpr double kWidest = 1 << 24;
constexpr double kDeepest = 1 << 10;

const std::vector<std::string> kInits = {"RANDOM", "SAMPLE_VOCAB", "TEXT"};
const std::vector<std::string> kEncoders = {"MLP", "LSTM"};

Ia3Settings read_ia3(const AdapterConfigReader& reader) {
  Ia3Settings ia3;
  reader.names_or_pattern("target_modules", ia3.target_modules);
  reader.names_or_pattern("feedforward_modules", ia3.feedforward_modules);
  ia3.feedforward_modules.is_empty_list =
      reader.at("feedforward_modules").is_array() && ia3.feedforward_modules.empty();
  reader.names_or_pattern("exclude_modules", ia3.exclude_modules);
  reader.boolean("init_ia3_weights", ia3.init_ia3_weights);
  return ia3;
}

Json ia3_json(const Ia3Settings& ia3) {
  const bool has_none = ia3.feedforward_modules.is_empty_list;
  return {{"exclude_modules", names_json(ia3.exclude_modules)},
          {"fan_in_fan_out", ia3.fan_in_fan_out.value_or(false)},
          {"feedforward_modules", has_none ? Json::array() : names_json(ia3.feedforward_modules)},
          {"init_ia3_weights", ia3.init_ia3_weights},
          {"target_modules", names_json(ia3.target_modules)}};
}

/// What belongs to encoder-decoders has no place here.
void read_virtual_tokens(const AdapterConfigReader& reader, VirtualTokenSettings& settings) {
  if (reader.at("num_virtual_tokens").is_null()) reader.refuse("num_virtual_tokens", "it is missing");
  settings.num_virtual_tokens = reader.count("num_virtual_tokens", reader.at("num_virtual_tokens"), 1, kMostTokens);
  const Json& parts = reader.at("num_transformer_submodules");
  if (!parts.is_null() && parts != 1) {
    reader.refuse("num_transformer_submodules",
                  concat("found ", AdapterConfigReader::short_text(parts), ", expected 1"),
                  "adapters of encoder-decoders do not fit the models that attune has");
  }
}

void read_hidden_size(const AdapterConfigReader& reader, std::optional<std::int64_t>& size) {
  const Json& json = reader.at("encoder_hidden_size");
  if (!json.is_null()) size = reader.count("encoder_hidden_size", json, 1, kWidest);
}

PromptTuningSettings read_prompt_tuning(const AdapterConfigReader& reader) {
  PromptTuningSettings prompt;
  read_virtual_tokens(reader, prompt);
  reader.choice("prompt_tuning_init", prompt.prompt_tuning_init, kInits);
  reader.text("prompt_tuning_init_text", prompt.prompt_tuning_init_text);
  reader.text("tokenizer_name_or_path", prompt.tokenizer_name_or_path);
  return prompt;
}

Json prompt_tuning_json(const PromptTuningSettings& prompt) {
  return {{"prompt_tuning_init", prompt.prompt_tuning_init},
          {"prompt_tuning_init_text", text_or_null(prompt.prompt_tuning_init_text)},
          {"tokenizer_name_or_path", text_or_null(prompt.tokenizer_name_or_path)}};
}

PTuningSettings read_p_tuning(const AdapterConfigReader& reader) {
  PTuningSettings encoder;
  read_virtual_tokens(reader, encoder);
  reader.choice("encoder_reparameterization_type", encoder.encoder_reparameterization_type, kEncoders);
  read_hidden_size(reader, encoder.encoder_hidden_size);
  const Json& layers = reader.at("encoder_num_layers");
  if (!layers.is_null()) encoder.encoder_num_layers = reader.count("encoder_num_layers", layers, 1, kDeepest);
  reader.number("encoder_dropout", encoder.encoder_dropout);
  if (encoder.encoder_dropout < 0 || encoder.encoder_dropout >= 1) {
    reader.refuse("encoder_dropout", "expected a number in [0, 1)");
  }
  return encoder;
}

Json p_tuning_json(const PTuningSettings& encoder) {
  return {{"encoder_dropout", encoder.encoder_dropout},
          {"encoder_hidden_size", encoder.encoder_hidden_size ? Json(*encoder.encoder_hidden_size) : Json(nullptr)},
          {"encoder_num_layers", encoder.encoder_num_layers},
          {"encoder_reparameterization_type", encoder.encoder_reparameterization_type}};
}

PrefixTuningSettings read_prefix_tuning(const AdapterConfigReader& reader) {
  PrefixTuningSettings prefix;
  read_virtual_tokens(reader, prefix);
  reader.boolean("prefix_projection", prefix.prefix_projection);
  read_hidden_size(reader, prefix.encoder_hidden_size);
  if (!reader.at("init_weights").is_null()) reader.choice("init_weights", prefix.init_weights, {"zero"});
  return prefix;
}

Json prefix_tuning_json(const PrefixTuningSettings& prefix) {
  return {{"encoder_hidden_size", prefix.encoder_hidden_size ? Json(*prefix.encoder_hidden_size) : Json(nullptr)},
          {"init_weights", text_or_null(prefix.init_weights)},
          {"prefix_projection", prefix.prefix_projection}};
}

AdapterSettings read_settings(const AdapterConfigReader& reader) {
  std::string type;
  reader.text("peft_type", type);
  if (type == "LORA") return read_lora(reader);
  if (type == "IA3") return read_ia3(reader);
  if (type == "PROMPT_TUNING") return read_prompt_tuning(reader);
  if (type == "P_TUNING") return read_p_tuning(reader);
  if (type == "PREFIX_TUNING") return read_prefix_tuning(reader);
  const bool is_foreign = !reader.at("rank").is_null();
  reader.refuse("peft_type",
                concat("found '", type,
                       "', attune reads adapters of the types LORA, IA3, PROMPT_TUNING, P_TUNING and PREFIX_TUNING"),
                is_foreign ? "this looks like an adapter of mlx-lm, which has another format"
                           : "convert the adapter or train it again with attune");
}

Json settings_json(const AdapterSettings& settings) {
  return std::visit(
      [](const auto& of) -> Json {
        using Settings = std::decay_t<decltype(of)>;
        if constexpr (std::is_same_v<Settings, LoraSettings>)
          return lora_json(of);
        else if constexpr (std::is_same_v<Settings, Ia3Settings>)
          return ia3_json(of);
        else if constexpr (std::is_same_v<Settings, PromptTuningSettings>)
          return prompt_tuning_json(of);
        else if constexpr (std::is_same_v<Settings, PTuningSettings>)
          return p_tuning_json(of);
        else
          return prefix_tuning_json(of);
      },
      settings);
}

}  // namespace

std::string peft_type(const AdapterSettings& settings) {
  static const char* const types[] = {"LORA", "IA3", "PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING"};
  return types[settings.index()];
}

std::vector<std::string>& modules_to_save(AdapterSettings& settings) {
  return std::visit([](auto& of) -> std::vector<std::string>& { return of.modules_to_save; }, settings);
}

const std::vector<std::string>& modules_to_save(const AdapterSettings& settings) {
  return std::visit([](const auto& of) -> const std::vector<std::string>& { return of.modules_to_save; }, settings);
}

const VirtualTokenSettings* virtual_token_settings(const AdapterSettings& settings) {
  return std::visit(
      [](const auto& of) -> const VirtualTokenSettings* {
        if constexpr (std::is_base_of_v<VirtualTokenSettings, std::decay_t<decltype(of)>>)
          return &of;
        else
          return nullptr;
      },
      settings);
}

AdapterConfig parse_adapter_config(const Json& json, const std::string& file) {
  const AdapterConfigReader reader(json, file);
  if (!json.is_object())
    reader.refuse("(all)", "found " + AdapterConfigReader::short_text(json) + ", expected an object");
  AdapterConfig config{.settings = read_settings(reader), .base = "", .task_type = ""};
  reader.names("modules_to_save", modules_to_save(config.settings));
  reader.text("base_model_name_or_path", config.base);
  reader.text("task_type", config.task_type);
  return config;
}

Json adapter_config_json(const AdapterConfig& config, const Json& before) {
  Json ours = settings_json(config.settings);
  ours["base_model_name_or_path"] = config.base;
  ours["inference_mode"] = true;
  ours["modules_to_save"] = list_or_null(modules_to_save(config.settings));
  ours["peft_type"] = peft_type(config.settings);
  ours["task_type"] = text_or_null(config.task_type);
  if (const VirtualTokenSettings* tokens = virtual_token_settings(config.settings)) {
    ours["num_virtual_tokens"] = tokens->num_virtual_tokens;
    ours["num_transformer_submodules"] = 1;
  }
  if (config.shape) {
    ours["token_dim"] = config.shape->token_dim;
    ours["num_layers"] = config.shape->num_layers;
    ours["num_attention_heads"] = config.shape->num_attention_heads;
  }
  nlohmann::json sorted = before.is_object() ? nlohmann::json(before) : nlohmann::json::object();
  for (const auto& [key, value] : ours.items()) sorted[key] = value;
  return sorted;
}

}  // namespace attune::files
