// adapter_config.json: what is read, what is refused by its key, and that a written file reads as what it was made
// from.
#include "attune/files/adapter_config.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "raises.h"

using namespace attune;
using files::Json;

namespace {

Json minimal(const Json& more = Json::object()) {
  Json json = {{"peft_type", "LORA"}, {"target_modules", {"query"}}};
  json.update(more);
  return json;
}

files::AdapterConfig parse_config(const Json& json) {
  return files::parse_adapter_config(json, "adapter_config.json");
}

const files::LoraSettings& lora_of(const files::AdapterConfig& config) {
  return std::get<files::LoraSettings>(config.settings);
}

/// The settings, written and read again.
files::AdapterSettings there_and_back(const files::AdapterSettings& settings) {
  return parse_config(files::adapter_config_json({.settings = settings, .base = "base", .task_type = "CAUSAL_LM"}, nullptr)).settings;
}

}  // namespace

TEST_CASE("an adapter's configuration survives writing and reading, unknown keys too", "[files]") {
  files::LoraSettings lora;
  lora.r = 5;
  lora.lora_alpha = 2.5;
  lora.use_dora = true;
  lora.target_modules.pattern = ".*query";
  lora.exclude_modules.names = {"a", "b"};
  lora.modules_to_save = {"classifier"};
  lora.bias = "lora_only";
  lora.fan_in_fan_out = false;
  lora.rank_pattern = {{"query", 3}};
  lora.alpha_pattern = {{"key", 0.5}};
  lora.init_lora_weights = "gaussian";
  const files::AdapterConfig config{.settings = lora, .base = "models/base", .task_type = "SEQ_CLS"};
  const Json json = files::adapter_config_json(config, {{"peft_version", "9.9"}, {"r", 1}, {"a_new_key", {1, 2}}});
  CHECK(json["a_new_key"] == Json{1, 2});
  CHECK(json["peft_version"] == "9.9");
  CHECK(json["inference_mode"] == true);
  CHECK(json["layers_to_transform"].is_null());
  const files::AdapterConfig again = parse_config(json);
  files::LoraSettings read = lora_of(again);
  read.fan_in_fan_out = false;  // says how weights lie, which the model says too
  CHECK(read == lora);
  CHECK(again.base == config.base);
  CHECK(again.task_type == config.task_type);
}

TEST_CASE("absent keys of an adapter's configuration have PEFT's defaults", "[files]") {
  const files::AdapterConfig config = parse_config(minimal());
  CHECK(lora_of(config).r == 8);
  CHECK(lora_of(config).lora_alpha == 8);
  CHECK(lora_of(config).bias == "none");
  CHECK(config.task_type.empty());
  CHECK(lora_of(parse_config(minimal({{"layers_to_transform", 3}, {"layers_pattern", "h"}}))).layers_to_transform ==
        std::vector<std::int64_t>{3});
  CHECK(lora_of(parse_config(minimal({{"modules_to_save", {"a", "b", "a"}}}))).modules_to_save.size() == 2);
}

TEST_CASE("configurations of IA3 and of virtual tokens survive writing and reading", "[files]") {
  files::Ia3Settings ia3;
  ia3.target_modules.names = {"key", "output.dense"};
  ia3.feedforward_modules.names = {"output.dense"};
  ia3.exclude_modules.pattern = ".*0.*";
  ia3.modules_to_save = {"score"};
  ia3.init_ia3_weights = false;
  CHECK(there_and_back(ia3) == files::AdapterSettings(ia3));
  ia3.feedforward_modules = {.names = {}, .pattern = "", .is_empty_list = true};
  CHECK(there_and_back(ia3) == files::AdapterSettings(ia3));

  files::PromptTuningSettings prompt;
  prompt.num_virtual_tokens = 7;
  prompt.prompt_tuning_init = "TEXT";
  prompt.prompt_tuning_init_text = "Is it good?";
  prompt.tokenizer_name_or_path = "base";
  prompt.modules_to_save = {"classifier"};
  CHECK(there_and_back(prompt) == files::AdapterSettings(prompt));
  files::PTuningSettings encoder;
  encoder.encoder_reparameterization_type = "LSTM";
  encoder.encoder_hidden_size = 24;
  encoder.encoder_num_layers = 3;
  encoder.encoder_dropout = 0.25;
  CHECK(there_and_back(encoder) == files::AdapterSettings(encoder));
  files::PrefixTuningSettings prefix;
  prefix.prefix_projection = true;
  prefix.encoder_hidden_size = 5;
  prefix.init_weights = "zero";
  CHECK(there_and_back(prefix) == files::AdapterSettings(prefix));

  const Json json = files::adapter_config_json({.settings = prefix, .base = "base", .task_type = "CAUSAL_LM", .shape = files::VirtualTokenShape{16, 2, 4}}, nullptr);
  CHECK(json["peft_type"] == "PREFIX_TUNING");
  CHECK(json["num_transformer_submodules"] == 1);
  CHECK(json["token_dim"] == 16);
  CHECK(json["num_layers"] == 2);
  CHECK(json["num_attention_heads"] == 4);
}

TEST_CASE("values of a configuration of virtual tokens that nothing follows are refused by their key", "[files]") {
  const auto tokens = [](const char* type, const Json& more) {
    Json json = {{"peft_type", type}, {"num_virtual_tokens", 4}};
    json.update(more);
    return json;
  };
  CHECK_NOTHROW(parse_config(tokens("P_TUNING", Json::object())));
  CHECK_RAISES(parse_config({{"peft_type", "P_TUNING"}}), model, "key num_virtual_tokens");
  CHECK_RAISES(parse_config(tokens("P_TUNING", {{"num_virtual_tokens", 0}})), model, "key num_virtual_tokens");
  CHECK_RAISES(parse_config(tokens("PROMPT_TUNING", {{"num_transformer_submodules", 2}})), model, "encoder-decoders");
  CHECK_RAISES(parse_config(tokens("PROMPT_TUNING", {{"prompt_tuning_init", "BEST"}})), model,
               "found \"BEST\", expected one of \"RANDOM\", \"SAMPLE_VOCAB\", \"TEXT\"");
  CHECK_RAISES(parse_config(tokens("P_TUNING", {{"encoder_reparameterization_type", "GRU"}})), model, "key encoder_reparameterization_type");
  CHECK_RAISES(parse_config(tokens("P_TUNING", {{"encoder_dropout", 1.5}})), model, "key encoder_dropout");
  CHECK_RAISES(parse_config(tokens("PREFIX_TUNING", {{"init_weights", "one"}})), model, "key init_weights");
  CHECK_RAISES(parse_config(tokens("PREFIX_TUNING", {{"encoder_hidden_size", 2.5}})), model, "key encoder_hidden_size");
  CHECK_RAISES(parse_config({{"peft_type", "IA3"}, {"feedforward_modules", 3}}), model, "key feedforward_modules");
}

TEST_CASE("values of an adapter's configuration that nothing follows are refused by their key", "[files]") {
  CHECK_RAISES(parse_config(Json::array()), model, "expected an object");
  CHECK_RAISES(parse_config({{"rank", 8}, {"scale", 20.0}}), model, "this looks like an adapter of mlx-lm");
  CHECK_RAISES(parse_config(minimal({{"r", 0}})), model, "key r");
  CHECK_RAISES(parse_config(minimal({{"r", 2.5}})), model, "key r");
  CHECK_RAISES(parse_config(minimal({{"rank_pattern", {{"query", -1}}}})), model, "key rank_pattern.query");
  CHECK_RAISES(parse_config(minimal({{"lora_alpha", "8"}})), model, "key lora_alpha");
  CHECK_RAISES(parse_config(minimal({{"lora_dropout", 1.0}})), model, "key lora_dropout");
  CHECK_RAISES(parse_config(minimal({{"use_dora", 1}})), model, "key use_dora");
  CHECK_RAISES(parse_config(minimal({{"target_modules", {1}}})), model, "key target_modules");
  CHECK_RAISES(parse_config(minimal({{"bias", "some"}})), model, "found \"some\"");
  CHECK_RAISES(parse_config(minimal({{"layers_to_transform", {-1}}})), model, "key layers_to_transform");
  CHECK_RAISES(parse_config(minimal({{"layer_replication", {{0, 4}}}})), model, "key layer_replication");
  CHECK_RAISES(parse_config(minimal({{"trainable_token_indices", {1}}})), model, "key trainable_token_indices");
}
