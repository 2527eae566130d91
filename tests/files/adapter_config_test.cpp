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

}  // namespace

TEST_CASE("an adapter's configuration survives writing and reading, unknown keys too", "[files]") {
  files::AdapterConfig config{.lora = {}, .base = "models/base", .task_type = "SEQ_CLS"};
  config.lora.r = 5;
  config.lora.lora_alpha = 2.5;
  config.lora.use_dora = true;
  config.lora.target_modules.pattern = ".*query";
  config.lora.exclude_modules.names = {"a", "b"};
  config.lora.modules_to_save = {"classifier"};
  config.lora.bias = "lora_only";
  config.lora.fan_in_fan_out = false;
  config.lora.rank_pattern = {{"query", 3}};
  config.lora.alpha_pattern = {{"key", 0.5}};
  config.lora.init_lora_weights = "gaussian";
  const Json json = files::adapter_config_json(config, {{"peft_version", "9.9"}, {"r", 1}, {"a_new_key", {1, 2}}});
  CHECK(json["a_new_key"] == Json{1, 2});
  CHECK(json["peft_version"] == "9.9");
  CHECK(json["inference_mode"] == true);
  CHECK(json["layers_to_transform"].is_null());
  files::AdapterConfig again = parse_config(json);
  again.lora.fan_in_fan_out = false;  // says how weights lie, which the model says too
  CHECK(again.lora == config.lora);
  CHECK(again.base == config.base);
  CHECK(again.task_type == config.task_type);
}

TEST_CASE("absent keys of an adapter's configuration have PEFT's defaults", "[files]") {
  const files::AdapterConfig config = parse_config(minimal());
  CHECK(config.lora.r == 8);
  CHECK(config.lora.lora_alpha == 8);
  CHECK(config.lora.bias == "none");
  CHECK(config.task_type.empty());
  CHECK(parse_config(minimal({{"layers_to_transform", 3}, {"layers_pattern", "h"}})).lora.layers_to_transform ==
        std::vector<std::int64_t>{3});
  CHECK(parse_config(minimal({{"modules_to_save", {"a", "b", "a"}}})).lora.modules_to_save.size() == 2);
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
