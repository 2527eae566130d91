// LoRA's part of adapter_config.json. See adapter_config.h.
#include "adapter_reader.h"

namespace attune::files {

namespace {

constexpr double kLargestRank = 1 << 20;

/// Variants of LoRA that peft 0.21 knows and that change what is computed or trained. Off are null, false and {}.
constexpr const char* kUnsupported[] = {
    "alora_invocation_tokens", "arrow_config", "corda_config",      "eva_config",   "kasa_config",
    "layer_replication",       "lora_bias",    "lora_ga_config",    "loftq_config", "megatron_config",
    "monteclora_config",       "use_bdlora",   "target_parameters", "use_qalora",   "velora_config",
    "trainable_token_indices"};

void check_rank(const AdapterConfigReader& reader, const std::string& key, double rank) {
  if (rank >= 1 && rank <= kLargestRank && rank == std::floor(rank)) return;
  reader.refuse(key, concat("found ", format_number(rank), ", expected a whole number from 1 to ", kLargestRank));
}

void refuse_variants(const AdapterConfigReader& reader) {
  for (const char* key : kUnsupported) {
    const Json& value = reader.at(key);
    if (value.is_null() || value == false || (value.is_structured() && value.empty())) continue;
    reader.refuse(key, concat("attune does not compute this variant of LoRA: ", AdapterConfigReader::short_text(value)),
                  "train the adapter without it");
  }
}

void read_layers(const AdapterConfigReader& reader, LoraSettings& lora) {
  const Json& layers = reader.at("layers_to_transform");
  const Json list = layers.is_array() ? layers : layers.is_null() ? Json::array() : Json::array({layers});
  for (const Json& layer : list) {
    const double number = reader.checked_number(layer, "layers_to_transform");
    if (number < 0 || number > kLargestRank || number != std::floor(number)) {
      reader.refuse("layers_to_transform",
                    "found " + AdapterConfigReader::short_text(layer) + ", expected the number of a layer");
    }
    lora.layers_to_transform.push_back(static_cast<std::int64_t>(number));
  }
  if (reader.at("layers_pattern").is_string()) {
    if (reader.at("layers_pattern") != "") lora.layers_pattern = {reader.at("layers_pattern").get<std::string>()};
  } else {
    reader.names("layers_pattern", lora.layers_pattern);
  }
}

/// How the values began says nothing of what they are now: other starts than ours are no obstacle.
void read_initial(const AdapterConfigReader& reader, LoraSettings& lora) {
  if (reader.at("init_lora_weights") == "gaussian") lora.init_lora_weights = "gaussian";
}

Json whole_or_not(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json numbers_json(const std::map<std::string, double>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = whole_or_not(value);
  return object;
}

}  // namespace

LoraSettings read_lora(const AdapterConfigReader& reader) {
  refuse_variants(reader);
  LoraSettings lora;
  double rank = static_cast<double>(lora.r);
  reader.number("r", rank);
  check_rank(reader, "r", rank);
  lora.r = static_cast<std::int64_t>(rank);
  reader.number("lora_alpha", lora.lora_alpha);
  reader.number("lora_dropout", lora.lora_dropout);
  if (lora.lora_dropout < 0 || lora.lora_dropout >= 1) reader.refuse("lora_dropout", "expected a number in [0, 1)");
  reader.boolean("use_rslora", lora.use_rslora);
  reader.boolean("use_dora", lora.use_dora);
  reader.names_or_pattern("target_modules", lora.target_modules);
  reader.names_or_pattern("exclude_modules", lora.exclude_modules);
  reader.choice("bias", lora.bias, {"none", "all", "lora_only"});
  read_layers(reader, lora);
  lora.rank_pattern = reader.numbers("rank_pattern");
  for (const auto& [key, value] : lora.rank_pattern) check_rank(reader, "rank_pattern." + key, value);
  lora.alpha_pattern = reader.numbers("alpha_pattern");
  read_initial(reader, lora);
  return lora;
}

Json lora_json(const LoraSettings& lora) {
  return {{"alpha_pattern", numbers_json(lora.alpha_pattern)},
          {"bias", lora.bias},
          {"exclude_modules", names_json(lora.exclude_modules)},
          {"fan_in_fan_out", lora.fan_in_fan_out.value_or(false)},
          {"init_lora_weights", lora.init_lora_weights == "true" ? Json(true) : Json(lora.init_lora_weights)},
          {"layers_pattern", list_or_null(lora.layers_pattern)},
          {"layers_to_transform", list_or_null(lora.layers_to_transform)},
          {"lora_alpha", whole_or_not(lora.lora_alpha)},
          {"lora_dropout", lora.lora_dropout},
          {"r", lora.r},
          {"rank_pattern", numbers_json(lora.rank_pattern)},
          {"target_modules", names_json(lora.target_modules)},
          {"use_dora", lora.use_dora},
          {"use_rslora", lora.use_rslora}};
}

}  // namespace attune::files
