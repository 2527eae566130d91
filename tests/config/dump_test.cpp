// The configuration written out, the schema, the docs and the files to begin with.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../../src/config/option.h"
#include "attune/base/strings.h"
#include "catch.h"
#include "support.h"

using namespace attune;
using namespace attune::config;

namespace {

const std::vector<Overrides>& samples() {
  static const std::vector<Overrides> list = {
      {},
      {"data.val_size=0.1", "early_stopping={\"metric\":\"eval_accuracy\"}", "seeds=[1,18446744073709551615]"},
      {"cross_validation={}", "early_stopping={}"},
      {"cross_validation.group_column=g"},
      {"cross_validation={\"folds\":3,\"refit\":true}", "data.columns.group=patient",
       "training.class_weights={\"a\":2.5}"},
      {"tuning.method=freeze", "tuning.freeze={\"layers\":\"0-3\",\"patterns\":[\"*.bias\"]}", "training.bf16=auto"},
      {"tuning.method=lora", "tuning.lora={\"r\":4,\"target_modules\":[\"query\"],\"exclude_modules\":\".*0.*\",\"fan_in_fan_out\":false}"},
      {"tuning.method=ia3", "tuning.ia3={\"target_modules\":[\"key\"],\"feedforward_modules\":[],\"init_ia3_weights\":false}"},
      {"tuning.method=prompt_tuning",
       "tuning.prompt_tuning={\"num_virtual_tokens\":7,\"prompt_tuning_init\":\"TEXT\",\"prompt_tuning_init_text\":\"Is it so?\"}"},
      {"tuning.method=p_tuning", "tuning.p_tuning={\"encoder_reparameterization_type\":\"LSTM\",\"encoder_num_layers\":3}"},
      {"tuning.method=prefix_tuning", "tuning.prefix_tuning={\"prefix_projection\":true,\"init_weights\":\"zero\"}"},
      {"tuning.method=prefix_tuning", "tuning.prefix_tuning={\"init_weights\":null}"},
      {"model.task=question-answering", "data.validation=[\"b\",\"c\"]", "training.save_total_limit=null"},
      {"data.columns.group=g", "data.split=stratified", "training.learning_rate=0.1234567890123456789"},
      {"model.task=text-generation", "predict_with_generate=true",
       "generation={\"num_beams\":1,\"early_stopping\":true,\"stop_strings\":[\"a\",\"b\"],\"min_p\":0.5,\"seed\":null}"},
      {"compare={\"methods\":[{\"name\":\"a b\",\"kind\":\"train\",\"set\":{\"tuning.method\":\"head\",\"tuning.lora\":{\"r\":4}},"
       "\"vary\":{\"training.learning_rate\":[0.1,2]}},{\"name\":\"ask\",\"kind\":\"prompt\",\"wordings\":\"short\"}]}"},
      {"training.lr_scheduler_type=cosine", "lr_scheduler_kwargs={\"num_cycles\":0.25}", "warmup_steps=0.06"},
  };
  return list;
}

const Json& member(const Json& schema, const std::string& path) {
  const Json* at = &schema;
  for (const auto& key : split(path, '.')) {
    if (at->contains("anyOf")) at = &(*at)["anyOf"][0];
    REQUIRE(at->at("additionalProperties") == false);
    at = &at->at("properties").at(key);
  }
  return *at;
}

}  // namespace

TEST_CASE("the effective configuration reads as itself and holds every key", "[config]") {
  for (const auto& overrides : samples()) {
    INFO(join(overrides, " "));
    const Json dump = effective(options_with(overrides));
    CHECK(effective(parse(dump.dump(2), "resolved.json").options) == dump);
    CHECK(parse(dump.dump(), "resolved.json").notes.empty());
  }
  job::RunOptions all = options_with({"data.val_size=9", "early_stopping={}"});
  all.cross_validation.enabled = all.data.subset.enabled = all.tuning.self_training.enabled = true;
  const Json dump = effective(all);
  for (const auto& option : option_table(all)) {
    const Json* at = &dump;
    for (const auto& key : split(option.path, '.')) at = &at->at(key);
    if (!option.is_block) CHECK(*at == option.write());
  }
  CHECK(effective(options_with({})).at("early_stopping").is_null());
  CHECK(effective(options_with({})).at("training").at("class_weights").is_null());
  CHECK(effective(options_with({})).at("training").at("bf16") == false);
}

TEST_CASE("an option that is left to the checkpoint is null, and its own default is a value", "[config]") {
  const auto options = options_with({"model.task=text-generation", "predict_with_generate=true",
                                     "generation={\"num_beams\":1,\"early_stopping\":false,\"top_k\":null}"});
  const Json dump = effective(options).at("generation");
  CHECK(dump.at("num_beams") == 1);
  CHECK(dump.at("early_stopping") == false);
  CHECK(dump.at("top_k").is_null());
  CHECK(dump.at("max_new_tokens").is_null());
  CHECK(minimal(options).at("generation") == Json({{"num_beams", 1}, {"early_stopping", false}}));
}

TEST_CASE("the minimal configuration says no more than it must, and gives the same run", "[config]") {
  CHECK(minimal(options_with({})) ==
        Json::parse(R"({"model": {"path": "base"}, "data": {"train": ["a.jsonl"]}, "output_dir": "runs/x"})"));
  CHECK(minimal(options_with({"cross_validation.group_column=g"})) ==
        Json::parse(R"({"model": {"path": "base"}, "data": {"train": ["a.jsonl"], "columns": {"group": "g"}},
                        "cross_validation": {}, "output_dir": "runs/x"})"));
  for (const auto& overrides : samples()) {
    INFO(join(overrides, " "));
    const auto options = options_with(overrides);
    CHECK(effective(parse(minimal(options).dump(), "minimal.json").options) == effective(options));
  }
}

TEST_CASE("the fingerprint follows what decides the weights and nothing else", "[config]") {
  const std::string base = fingerprint(options_with({}));
  CHECK(base.size() == 64);
  for (const char* other : {"output_dir=elsewhere", "threads=2", "device=cpu", "about=x", "training.logging_steps=3",
                            "resume_from_checkpoint=auto", "training.save_strategy=no", "compare.selection_budget=9",
                            R"(compare.methods={"name": "a", "kind": "words"})"}) {
    INFO(other);
    CHECK(fingerprint(options_with({other})) == base);
    CHECK(differences(effective(options_with({})), effective(options_with({other}))).empty());
  }
  for (const char* other : {"lr=1e-3", "data.train=b.jsonl", "seeds=1", "cross_validation={}", "tuning.method=head",
                            "data.template={{a}}", "model.path=other", "training.class_weights=balanced"}) {
    INFO(other);
    CHECK(fingerprint(options_with({other})) != base);
    CHECK_FALSE(differences(effective(options_with({})), effective(options_with({other}))).empty());
  }
  const auto changed = differences(effective(options_with({})), effective(options_with({"lr=1e-3"})));
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].key == "training.learning_rate");
  CHECK(changed[0].before == "5e-05");
  CHECK(changed[0].after == "0.001");
}

TEST_CASE("the schema knows every key, its default and what is required", "[config]") {
  const Json all = schema();
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    INFO(option.path);
    const Json& described = member(all, option.path);
    CHECK(described.at("description") == option.field.help);
    if (!option.is_block && !option.lacks_value()) CHECK(described.at("default") == option.write());
  }
  CHECK(all.at("required") == Json::parse(R"(["output_dir", "model", "data"])"));
  CHECK(member(all, "model").at("required") == Json::parse(R"(["path"])"));
  CHECK(member(all, "training.learning_rate").at("exclusiveMinimum") == 0);
  CHECK(member(all, "training.optim").at("enum").size() == 3);
}

TEST_CASE("the documentation has a row for every key with its aliases", "[config]") {
  const std::string text = documentation();
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    INFO(option.path);
    if (option.is_block) {
      const bool has_keys = option.path != "";
      CHECK((has_keys && text.find("\n## `" + option.path + "`") != std::string::npos));
      continue;
    }
    CHECK(text.find("\n| `" + option.key() + "` | ") != std::string::npos);
    for (const auto& alias : option.field.aliases)
      CHECK(text.find("`" + std::string(alias.name) + "`") != std::string::npos);
  }
  CHECK(text.find("| `path` | a text | **required** |") != std::string::npos);
  CHECK(text.find("| `learning_rate` | a number > 0 | `5e-05` |") != std::string::npos);
}

TEST_CASE("docs/config.md is what the field lists say", "[config]") {
  const std::string path = ATTUNE_SOURCE_DIR "/docs/config.md";
  if (std::getenv("ATTUNE_UPDATE_DOCS") != nullptr) std::ofstream(path) << documentation();
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  INFO("renew it: ATTUNE_UPDATE_DOCS=1 build/dev/tests/attune_plain_tests [config]");
  CHECK((text.str() == documentation()));
}

TEST_CASE("a configuration to begin with is valid, canonical and explained", "[config]") {
  CHECK(starter_tasks().size() == 7);
  for (const auto& task : starter_tasks()) {
    INFO(task);
    const std::string text = starter(task);
    const auto loaded = parse(text, "starter.json");
    CHECK(loaded.notes.empty());
    CHECK(loaded.options.early_stopping.enabled);
    CHECK(text.find("  // Highest learning rate of the schedule.\n    \"learning_rate\": 5e-5") != std::string::npos);
    for (const auto& line : split(text, '\n')) CHECK(line.size() <= 100);
  }
  CHECK(parse(starter("regression"), "s").options.data.labels == "regression");
  CHECK(parse(starter("question-answering"), "s").options.data.max_length == 384);
  const std::string own = parse(starter("text-generation"), "s").options.model.path;
  CHECK(std::filesystem::exists(ATTUNE_SOURCE_DIR "/" + own + "/config.json"));  // a model that every clone has
  CHECK(starter("causal-lm") == starter("text-generation"));
  CHECK_THROWS_WITH(starter("regresion"), "unknown task 'regresion'; did you mean 'regression'?");
  CHECK_THROWS_WITH(starter("causal-ml"), "unknown task 'causal-ml'; did you mean 'causal-lm'?");
}
