// Rotary positions as config.json spells them, against the reference's frequencies (scripts/goldens/rotary.py).
#include "attune/nn/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <nlohmann/json.hpp>

#include "attune/models/spec.h"
#include "raises.h"

using namespace attune;
using namespace attune::models;

namespace {

files::Json with_rope(const files::Json& parameters) {
  files::Json config = files::Json::parse(R"({"model_type": "llama", "vocab_size": 32, "hidden_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 20, "max_position_embeddings": 2048})");
  config["rope_parameters"] = parameters;
  return config;
}

nn::RotarySpec read_rotary_of(const files::Json& parameters) {
  return read_spec(with_rope(parameters), "m/config.json", Task::causal_lm).decoder.rotary.at(0);
}

void check_table(const nn::RotarySpec& rotary, const files::Json& table) {
  CHECK(rotary.attention_factor == Approx(table.at("attention_factor").get<double>()).epsilon(1e-12));
  for (const auto& [length, values] : table.at("lengths").items()) {
    INFO("length " << length);
    const at::Tensor want = at::tensor(values.get<std::vector<double>>(), at::kFloat);
    CHECK(at::equal(nn::rotary_frequencies(rotary, std::stoll(length)), want));
  }
}

}  // namespace

TEST_CASE("frequencies are the reference's to the bit, in v4's and v5's spelling", "[models][rotary]") {
  const auto cases = files::read_json(std::string(ATTUNE_SOURCE_DIR) + "/tests/goldens/rotary/expected.json");
  CHECK(cases.size() > 20);
  for (const files::Json& one : cases) {
    INFO(one.at("name").get<std::string>());
    const ModelSpec spec = read_spec(one.at("config"), "m/config.json", Task::causal_lm);
    const files::Json& tables = one.at("tables");
    REQUIRE(spec.decoder.rotary.size() == tables.size());
    for (std::size_t i = 0; i < tables.size(); ++i) check_table(spec.decoder.rotary[i], tables[i]);
  }
}

TEST_CASE("rotary positions that no network here follows are refused by key", "[models][rotary]") {
  const files::Json llama3 = {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}};
  CHECK_NOTHROW(read_rotary_of(llama3));
  const auto changed = [&](const char* key, const files::Json& value) {
    files::Json parameters = llama3;
    parameters[key] = value;
    return parameters;
  };
  CHECK_RAISES(read_rotary_of(changed("rope_type", "proportional")), model, "known types are default, linear, dynamic");
  CHECK_RAISES(read_rotary_of(changed("factor", nullptr)), model, "the key is missing (key rope_parameters.factor)");
  CHECK_RAISES(read_rotary_of(changed("high_freq_factor", 1)), model, "key rope_parameters.high_freq_factor");
  CHECK_RAISES(read_rotary_of(changed("partial_rotary_factor", 0.5)), model, "llama turns all of a head");
  CHECK_RAISES(read_rotary_of(changed("rope_theta", "x")), model, "key rope_parameters.rope_theta");
  CHECK_RAISES(read_rotary_of({{"rope_type", "longrope"}, {"short_factor", {1, 2}}, {"long_factor", {1, 2}}}), model,
               "expected a list of 8 elements");
  CHECK_RAISES(read_rotary_of(files::Json::array()), model, "expected an object (key rope_parameters)");
  files::Json beside = with_rope(nullptr);
  beside["partial_rotary_factor"] = 0.25;
  CHECK_RAISES(read_spec(beside, "m/config.json", Task::causal_lm), model, "partial_rotary_factor");
  beside["model_type"] = "phi3";
  CHECK(read_spec(beside, "m/config.json", Task::causal_lm).decoder.rotary[0].size == 4);
  beside["rope_scaling"] = {{"type", "yarn"}, {"factor", 2}};
  CHECK_RAISES(read_spec(beside, "m/config.json", Task::causal_lm), model, "default and longrope only");
}
