// See adapter_config.h.
#include "attune/files/adapter_config.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::files {

namespace {

constexpr double kLargestRank = 1 << 20;

/// Variants of LoRA that peft 0.21 knows and that change what is computed or trained. Off are null, false and {}.
constexpr const char* kUnsupported[] = {
    "alora_invocation_tokens", "arrow_config", "corda_config",      "eva_config",   "kasa_config",
    "layer_replication",       "lora_bias",    "lora_ga_config",    "loftq_config", "megatron_config",
    "monteclora_config",       "use_bdlora",   "target_parameters", "use_qalora",   "velora_config",
    "trainable_token_indices"};

class Reader {
 public:
  Reader(const Json& json, const std::string& file) : json_(json), file_(file) {}

  [[noreturn]] void refuse(const std::string& key, const std::string& what, const std::string& hint = "") const {
    throw Error(ErrorKind::model, {.file = file_, .what = what, .where = "key " + key, .hint = hint});
  }

  /// null where the key is absent.
  const Json& at(const char* key) const {
    static const Json null;
    const auto found = json_.find(key);
    return found == json_.end() ? null : *found;
  }

  void boolean(const char* key, bool& value) const {
    const Json& json = at(key);
    if (json.is_null()) return;
    if (!json.is_boolean()) refuse(key, "found " + short_text(json) + ", expected true or false");
    value = json.get<bool>();
  }

  void number(const char* key, double& value) const {
    const Json& json = at(key);
    if (!json.is_null()) value = checked_number(json, key);
  }

  void text(const char* key, std::string& value) const {
    const Json& json = at(key);
    if (json.is_null()) return;
    if (!json.is_string()) refuse(key, "found " + short_text(json) + ", expected a text");
    value = json.get<std::string>();
  }

  /// A list of texts, each once.
  void names(const char* key, std::vector<std::string>& value) const {
    const Json& json = at(key);
    if (json.is_null()) return;
    if (!json.is_array()) refuse(key, "found " + short_text(json) + ", expected a list of names");
    for (const Json& name : json) {
      if (!name.is_string() || name == "") refuse(key, "found " + short_text(name) + ", expected a name");
      if (std::find(value.begin(), value.end(), name.get<std::string>()) == value.end())
        value.push_back(name.get<std::string>());
    }
  }

  void names_or_pattern(const char* key, NamesOrPattern& value) const {
    if (at(key).is_string()) {
      value.pattern = at(key).get<std::string>();
    } else {
      names(key, value.names);
    }
  }

  std::map<std::string, double> numbers(const char* key) const {
    std::map<std::string, double> value;
    const Json& json = at(key);
    if (json.is_null()) return value;
    if (!json.is_object()) refuse(key, "found " + short_text(json) + ", expected an object of numbers");
    for (const auto& [name, number] : json.items()) value[name] = checked_number(number, concat(key, ".", name));
    return value;
  }

  double checked_number(const Json& json, const std::string& key) const {
    if (!json.is_number() || !std::isfinite(json.get<double>()))
      refuse(key, "found " + short_text(json) + ", expected a number");
    return json.get<double>();
  }

  static std::string short_text(const Json& json) {
    constexpr std::size_t kLongest = 60;
    std::string text = json_text(json, -1);
    return text.size() <= kLongest ? text : std::string(json.type_name());
  }

 private:
  const Json& json_;
  const std::string& file_;
};

void check_rank(const Reader& reader, const std::string& key, double rank) {
  if (rank >= 1 && rank <= kLargestRank && rank == std::floor(rank)) return;
  reader.refuse(key, concat("found ", format_number(rank), ", expected a whole number from 1 to ", kLargestRank));
}

void refuse_variants(const Reader& reader) {
  for (const char* key : kUnsupported) {
    const Json& value = reader.at(key);
    if (value.is_null() || value == false || (value.is_structured() && value.empty())) continue;
    reader.refuse(key, concat("attune does not compute this variant of LoRA: ", Reader::short_text(value)),
                  "train the adapter without it");
  }
}

void read_layers(const Reader& reader, LoraSettings& lora) {
  const Json& layers = reader.at("layers_to_transform");
  const Json list = layers.is_array() ? layers : layers.is_null() ? Json::array() : Json::array({layers});
  for (const Json& layer : list) {
    const double number = reader.checked_number(layer, "layers_to_transform");
    if (number < 0 || number > kLargestRank || number != std::floor(number)) {
      reader.refuse("layers_to_transform", "found " + Reader::short_text(layer) + ", expected the number of a layer");
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
void read_initial(const Reader& reader, LoraSettings& lora) {
  if (reader.at("init_lora_weights") == "gaussian") lora.init_lora_weights = "gaussian";
}

LoraSettings read_settings(const Reader& reader) {
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
  reader.names("modules_to_save", lora.modules_to_save);
  reader.text("bias", lora.bias);
  if (lora.bias != "none" && lora.bias != "all" && lora.bias != "lora_only") {
    reader.refuse("bias", concat("found \"", lora.bias, "\", expected one of \"none\", \"all\", \"lora_only\""));
  }
  read_layers(reader, lora);
  lora.rank_pattern = reader.numbers("rank_pattern");
  for (const auto& [key, value] : lora.rank_pattern) check_rank(reader, "rank_pattern." + key, value);
  lora.alpha_pattern = reader.numbers("alpha_pattern");
  read_initial(reader, lora);
  return lora;
}

Json whole_or_not(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json numbers_json(const std::map<std::string, double>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = whole_or_not(value);
  return object;
}

Json names_json(const NamesOrPattern& value) {
  if (value.empty()) return nullptr;
  return value.pattern.empty() ? Json(value.names) : Json(value.pattern);
}

template <class T>
Json list_or_null(const std::vector<T>& values) {
  return values.empty() ? Json(nullptr) : Json(values);
}

}  // namespace

AdapterConfig parse_adapter_config(const Json& json, const std::string& file) {
  const Reader reader(json, file);
  if (!json.is_object()) reader.refuse("(all)", "found " + Reader::short_text(json) + ", expected an object");
  std::string type;
  reader.text("peft_type", type);
  if (type != "LORA") {
    reader.refuse("peft_type", concat("found '", type, "', attune reads adapters of the type LORA"),
                  json.contains("rank") ? "this looks like an adapter of mlx-lm, which has another format"
                                        : "convert the adapter or train it again with attune");
  }
  refuse_variants(reader);
  AdapterConfig config;
  config.lora = read_settings(reader);
  reader.text("base_model_name_or_path", config.base);
  reader.text("task_type", config.task_type);
  return config;
}

Json adapter_config_json(const AdapterConfig& config, const Json& before) {
  const LoraSettings& lora = config.lora;
  const Json ours = {
      {"alpha_pattern", numbers_json(lora.alpha_pattern)},
      {"base_model_name_or_path", config.base},
      {"bias", lora.bias},
      {"exclude_modules", names_json(lora.exclude_modules)},
      {"fan_in_fan_out", lora.fan_in_fan_out.value_or(false)},
      {"inference_mode", true},
      {"init_lora_weights", lora.init_lora_weights == "true" ? Json(true) : Json(lora.init_lora_weights)},
      {"layers_pattern", list_or_null(lora.layers_pattern)},
      {"layers_to_transform", list_or_null(lora.layers_to_transform)},
      {"lora_alpha", whole_or_not(lora.lora_alpha)},
      {"lora_dropout", lora.lora_dropout},
      {"modules_to_save", list_or_null(lora.modules_to_save)},
      {"peft_type", "LORA"},
      {"r", lora.r},
      {"rank_pattern", numbers_json(lora.rank_pattern)},
      {"target_modules", names_json(lora.target_modules)},
      {"task_type", config.task_type.empty() ? Json(nullptr) : Json(config.task_type)},
      {"use_dora", lora.use_dora},
      {"use_rslora", lora.use_rslora}};
  nlohmann::json sorted = before.is_object() ? nlohmann::json(before) : nlohmann::json::object();
  for (const auto& [key, value] : ours.items()) sorted[key] = value;
  return sorted;
}

}  // namespace attune::files
