// Reading: strictness, aliases, overrides, and everything that is wrong at once.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../../src/config/option.h"
#include "attune/base/strings.h"
#include "catch.h"
#include "support.h"

using namespace attune;
using namespace attune::config;

namespace {

/// {"a": {"b": value}} for "a.b", laid over the smallest configuration.
std::string with_value(const std::string& path, const Json& value) {
  Json document = Json::parse(kSmallest);
  Json* object = &document;
  const auto keys = split(path, '.');
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) object = &(*object)[keys[i]];
  (*object)[keys.back()] = value;
  return document.dump();
}

bool mentions(const std::vector<Problem>& problems, const std::string& key, const std::string& hint) {
  return std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
    return problem.key == key && problem.hint.find(hint) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("every misspelt key is refused with the name that was meant", "[config]") {
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    std::string misspelt = option.key();
    if (misspelt.size() > 1) std::swap(misspelt[misspelt.size() / 2], misspelt[misspelt.size() / 2 - 1]);
    if (misspelt == option.key()) misspelt += "x";
    const std::string path = child_path(option.block, misspelt);
    INFO(path);
    const auto problems = problems_of(with_value(path, 1));
    CHECK(mentions(problems, path, "did you mean '" + option.key() + "'?"));
    CHECK(problems.front().what == "unknown key '" + misspelt + "'");
    CHECK(problems_of(kSmallest, {path + "=1"}).front().file == "--set");
  }
}

TEST_CASE("every option refuses a value of another type and says what it takes", "[config]") {
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    INFO(option.path);
    const auto problems = problems_of(with_value(option.path, Json::array({Json::array({Json::array()})})));
    REQUIRE_FALSE(problems.empty());
    CHECK(problems.front().key == option.path);
    CHECK(problems.front().what == "found [[[]]], expected " + option.expected);
  }
}

TEST_CASE("numbers outside of their range are refused", "[config]") {
  job::RunOptions options;
  int checked = 0;
  for (const auto& option : option_table(options)) {
    const Range& range = option.field.range;
    if (option.is_block || option.path == "training.class_weights") continue;
    for (const double beyond : {range.min - (range.min_excluded ? 0 : 1), range.max + (range.max_excluded ? 0 : 1)}) {
      if (!std::isfinite(beyond)) continue;
      INFO(option.path << " = " << beyond);
      const auto problems = problems_of(with_value(option.path, beyond));
      REQUIRE_FALSE(problems.empty());
      CHECK(problems.front().key == option.path);
      CHECK(problems.front().what.find("expected") != std::string::npos);
      ++checked;
    }
  }
  CHECK(checked > 35);
  CHECK(refuses({"training.warmup_steps=1.5"}, "training.warmup_steps"));
  CHECK(refuses({"training.class_weights={\"a\": -1}"}, "training.class_weights"));
  CHECK(refuses({"training.save_total_limit=0"}, "training.save_total_limit"));
  CHECK(refuses({"data.max_length=12.5"}, "data.max_length"));
  CHECK(refuses({"seeds=[1, -1]"}, "seeds"));
  CHECK(refuses({"training.optim=\"adam\""}, "training.optim"));
  CHECK(refuses({"device=cuda:x"}, "device"));
  CHECK(refuses({"tuning.method=freeze", "tuning.freeze.layers=3-"}, "tuning.freeze.layers"));
}

TEST_CASE("all that is wrong is reported at once, without what only follows from it", "[config]") {
  const std::string text = R"({
    // a comment
    "model": {"path": "base", "taks": "fill-mask"},
    "data": {"train": [], "max_length": "long", "columns": {"txt": "body"}},
    "training": {"learing_rate": 1e-4, "eval_strategy": "epochs", "learning_rate": -1},
    "early_stopping": {"patience": 0},
    "output_dirr": "runs/x" })";
  const auto problems = problems_of(text, {"seeds=x", "nothing"});
  std::vector<std::string> keys;
  for (const auto& problem : problems) keys.push_back(problem.key);
  std::sort(keys.begin(), keys.end());
  CHECK(keys == std::vector<std::string>{"data.columns.txt", "data.max_length", "data.train", "early_stopping.patience",
                                         "model.taks", "nothing", "output_dirr", "seeds", "training.eval_strategy",
                                         "training.learing_rate", "training.learning_rate"});
}

TEST_CASE("the error names the file once and has a line a problem", "[config]") {
  const std::string text =
      R"({"model": {"path": "base"}, "data": {"train": "a", "max_lengt\u001b": 1}, "output_dir": 3})";
  try {
    parse(text, "run.json", {"threads=-1"});
    FAIL("accepted");
  } catch (const ConfigError& error) {
    CHECK(error.kind() == ErrorKind::usage);
    const auto lines = split(error.lines(), '\n');
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "run.json: 3 problems");
    CHECK(lines[1] == "  - unknown key 'max_lengt\\x1B' (data.max_lengt\\x1B); did you mean 'max_length'?");
    CHECK(lines[2] == "  - found 3, expected a text (output_dir)");
    CHECK(lines[3] == "  - --set: found -1, expected a whole number in [0, 4096] (threads)");
    CHECK(std::string(error.what()).find("run.json: 3 problems: [1] unknown key") == 0);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
  }
  try {
    parse(kSmallest, "run.json", {"training.lr=0"});
    FAIL("accepted");
  } catch (const ConfigError& error) {
    CHECK(error.lines() == "--set: found 0, expected a number > 0 (training.lr)");
    CHECK(error.lines() == error.what());
  }
}

TEST_CASE("what is no JSON object is an error with its place", "[config]") {
  CHECK_THROWS_AS(parse("[1]", "run.json"), Error);
  CHECK_THROWS_AS(parse("", "run.json"), Error);
  try {
    parse("{\"model\": {\"path\": \"a\", \"path\": \"b\"}}", "run.json");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(std::string(error.what()).find("model.path") != std::string::npos);
  }
}

TEST_CASE("required keys are asked for", "[config]") {
  const auto problems = problems_of("{}");
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].key == "model.path");
  CHECK(problems[1].key == "data.train");
  CHECK(problems[2].key == "output_dir");
  CHECK(problems[0].what == "required key 'path' is missing");
  CHECK(refuses({"model.path=\"\""}, "model.path"));
  CHECK(refuses({"seeds=[]"}, "seeds"));
}

TEST_CASE("an alias means its option wherever it is pasted", "[config]") {
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    for (const auto& alias : option.field.aliases) {
      const std::string name(alias.name);
      for (const auto& place : {name, child_path("training", name), child_path(option.block, name)}) {
        INFO(place);
        // A wrong value shows what the key was taken for, whatever type the option has.
        const auto problems = problems_of(kSmallest, {place + "=[[[]]]"});
        REQUIRE_FALSE(problems.empty());
        CHECK(problems.front().key == place);
        CHECK(problems.front().what.find("expected " + option.expected) != std::string::npos);
      }
    }
  }
}

TEST_CASE("a flat list as Transformers' users have it is read, with notes", "[config]") {
  const auto loaded = parse(R"({"model_name_or_path": "base", "train_file": "a.csv", "validation_file": "b.csv",
    "output_dir": "out", "max_seq_length": 64, "learning_rate": 3e-5, "num_train_epochs": 2, "warmup_ratio": 0.1,
    "evaluation_strategy": "steps", "eval_steps": 50, "seed": 7, "early_stopping_patience": 3})",
                            "hf.json");
  const auto& options = loaded.options;
  CHECK(options.model.path == "base");
  CHECK(options.data.train == std::vector<std::string>{"a.csv"});
  CHECK(options.data.max_length == 64);
  CHECK(options.training.learning_rate == 3e-5);
  CHECK(options.training.warmup_steps == 0.1);
  CHECK(options.training.eval_strategy == "steps");
  CHECK(options.seeds == std::vector<std::uint64_t>{7});
  CHECK(options.training.seed == 7);
  CHECK(options.early_stopping.enabled);
  CHECK(options.early_stopping.patience == 3);
  CHECK(loaded.notes.size() == 11);
  CHECK(loaded.notes.front() == "hf.json: read 'model_name_or_path' as model.path");
}

TEST_CASE("one setting under two names, or both null and given, is an error", "[config]") {
  CHECK(problems_of(R"({"model": {"path": "a"}, "model_name_or_path": "a", "data": {"train": "a"}, "output_dir": "o"})")
            .size() == 1);
  CHECK(problems_of(with_value("training", {{"lr", 1e-4}, {"learning_rate", 1e-4}})).size() == 1);
  CHECK(problems_of(with_value("training", {{"warmup_ratio", 1}})).size() == 1);
  const auto problems = problems_of(
      R"({"model": {"path": "a"}, "data": {"train": "a", "val_size": 9}, "output_dir": "o", "early_stopping": null, "early_stopping_patience": 2})");
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().what == "'early_stopping' is both null and given");
}

TEST_CASE("keys of other trainers and of other blocks get a hint", "[config]") {
  CHECK(mentions(problems_of(with_value("training.fp16", true)), "training.fp16", "use \"bf16\""));
  CHECK(mentions(problems_of(with_value("deepspeed", "ds.json")), "deepspeed", "attune cannot do this yet"));
  CHECK(mentions(problems_of(with_value("model.learning_rate", 1)), "model.learning_rate",
                 "did you mean 'training.learning_rate'?"));
  CHECK(mentions(problems_of(with_value("text", "body")), "text", "did you mean 'data.columns.text'?"));
  CHECK(mentions(problems_of(R"({"training.bf16": true})"), "training.bf16", "write an object"));
  CHECK(mentions(problems_of(with_value("data.zzzzzzzz", 1)), "data.zzzzzzzz",
                 "the keys of 'data' are train, train_weights, validation"));
}

TEST_CASE("--set goes over the file, the last one wins, and text needs no quotes", "[config]") {
  const auto options =
      options_with({"training.learning_rate=1e-3", "lr=2e-3", "output_dir=7", "data.train=[\"a\",\"b\"]",
                    "data.template={{a}}=b", "seeds=[1,2]", "data.val_size=0.1", "early_stopping={\"patience\": 5}",
                    "early_stopping.threshold=0.5", "training.bf16=auto", "training.class_weights={\"x\": 2}"});
  CHECK(options.training.learning_rate == 2e-3);
  CHECK(options.output_dir == "7");
  CHECK(options.data.train.size() == 2);
  CHECK(options.data.template_text == "{{a}}=b");
  CHECK(options.seeds == std::vector<std::uint64_t>{1, 2});
  CHECK(options.early_stopping.patience == 5);
  CHECK(options.early_stopping.threshold == 0.5);
  CHECK(options.training.bf16 == "auto");
  CHECK(options.training.class_weights == "given");
  CHECK(options.training.class_weight_values.at("x") == 2);
  CHECK_FALSE(
      options_with({"data.val_size=9", "early_stopping.patience=3", "early_stopping=null"}).early_stopping.enabled);
  CHECK(options_with({"data.val_size=9", "early_stopping.patience=7", "early_stopping=null", "early_stopping={}"})
            .early_stopping.patience == 2);
  CHECK(refuses({"output_dir=null"}, "output_dir"));
  CHECK(refuses({"model={\"path\": 3}"}, "model.path"));
  CHECK(refuses({"model..path=x"}, "model."));
  CHECK(refuses({"about=\xff"}, ""));
}

TEST_CASE("null is the default, of options, lists and blocks", "[config]") {
  const std::string file = R"({"model": {"path": "base"}, "data": {"train": "a.jsonl", "max_length": 64, "subset": {"rows": 9}},
    "output_dir": "runs/x", "seeds": [1, 2], "threads": 3, "tuning": {"method": "freeze", "freeze": {"layers": "0-3"}},
    "training": {"learning_rate": 1e-3, "save_total_limit": 4}, "compare": {"methods": [{"name": "a", "kind": "words"}]}})";
  const auto read = [&](const Overrides& overrides) { return parse(file, "run.json", overrides).options; };
  const job::RunOptions defaults;
  CHECK(read({}).tuning.freeze.layers == "0-3");
  CHECK(read({"tuning.freeze=null", "tuning.method=head"}).tuning.freeze.layers == defaults.tuning.freeze.layers);
  CHECK(read({"tuning=null"}).tuning.method == defaults.tuning.method);
  CHECK(read({"tuning=null"}).tuning.freeze.layers == defaults.tuning.freeze.layers);
  CHECK(read({"tuning.freeze=null", "tuning.freeze.layers=1"}).tuning.freeze.layers == "1");
  CHECK(read({"seeds=null"}).seeds == defaults.seeds);
  CHECK(read({"threads=null"}).threads == defaults.threads);
  CHECK(read({"data.max_length=null"}).data.max_length == defaults.data.max_length);
  CHECK(read({"training.learning_rate=null"}).training.learning_rate == defaults.training.learning_rate);
  CHECK(read({"lr=null"}).training.learning_rate == defaults.training.learning_rate);
  CHECK(read({"training=null"}).training.save_total_limit == defaults.training.save_total_limit);
  CHECK(read({"training.save_total_limit=null"}).training.save_total_limit == 0);  // a value of its own: all
  CHECK(read({"compare.methods=null"}).compare.methods.empty());
  CHECK(read({"data.subset=null"}).data.max_length == 64);
  CHECK_FALSE(read({"data.subset=null"}).data.subset.enabled);

  // What is required cannot be left to a default, and what one layer says twice is not decided by order.
  CHECK(problems_of(file, {"data=null"}).front().key == "data.train");
  CHECK(problems_of(file, {"data=null", "data.train=b.jsonl"}).empty());
  CHECK_FALSE(read({"data=null", "data.train=b.jsonl"}).data.subset.enabled);
  for (const char* flat : {R"("training": null, "learning_rate": 0.5)", R"("learning_rate": 0.5, "training": null)"}) {
    const std::string text = std::string(R"({"model": {"path": "base"}, "data": {"train": "a"}, "output_dir": "o", )") + flat + "}";
    CHECK(parse(text, "run.json").options.training.learning_rate == 0.5);
  }
}

TEST_CASE("verbs without a configuration file get the defaults under their overrides", "[config]") {
  CHECK(defaults().data.max_length == 128);
  CHECK(defaults({"data.columns.text=body"}).data.columns.text == "body");
  CHECK_THROWS_AS(defaults({"data.colums.text=body"}), ConfigError);
  CHECK_THROWS_AS(defaults({"seeds=[]"}), ConfigError);
}

TEST_CASE("a file is loaded, and one that is not there is an error of the user", "[config]") {
  const auto path = (std::filesystem::temp_directory_path() / "attune-config-test.json").string();
  std::ofstream(path) << kSmallest;
  CHECK(load(path, {"seeds=5"}).seeds == std::vector<std::uint64_t>{5});
  std::filesystem::remove(path);
  try {
    load(path);
    FAIL("read a file that is not there");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(error.text().file == path);
  }
}

TEST_CASE("JSON literals stand for what they say", "[config]") {
  CHECK(options_with({"training.bf16=true"}).training.bf16 == "true");
  CHECK(options_with({"training.bf16=false"}).training.bf16 == "false");
  CHECK(options_with({"training.save_total_limit=null"}).training.save_total_limit == 0);
  CHECK(options_with({"training.class_weights=null"}).training.class_weights == "none");
  CHECK(options_with({"resume_from_checkpoint=true"}).resume_from_checkpoint == "auto");
  CHECK(options_with({"resume_from_checkpoint=false"}).resume_from_checkpoint.empty());
  CHECK(options_with({"data.max_length=64.0"}).data.max_length == 64);
  CHECK(options_with({"training.seed=18446744073709551615"}).seeds.front() == 18446744073709551615u);
}

TEST_CASE("methods keep their settings as they are written", "[config]") {
  const auto options = options_with(
      {R"(compare.methods={"name": "a", "kind": "train", "set": {"tuning.method": "head", "tuning.lora": {"r": 4}}, "vary": {"seeds": 3, "x": ["y", null]}})"});
  REQUIRE(options.compare.methods.size() == 1);
  const job::MethodOptions& method = options.compare.methods.front();
  CHECK(method.set.values == std::vector<std::pair<std::string, std::string>>{{"tuning.method", "\"head\""}, {"tuning.lora", R"({"r":4})"}});
  CHECK(method.vary.values == std::vector<std::pair<std::string, std::vector<std::string>>>{{"seeds", {"3"}}, {"x", {"\"y\"", "null"}}});
  CHECK(refuses({R"(compare.methods={"name": "a", "kind": "forest"})"}, "compare.methods[0].kind"));
  CHECK(refuses({R"(compare.methods={"name": "a", "kind": "words", "set": [1]})"}, "compare.methods[0].set"));
  CHECK(refuses({R"(compare.methods={"name": "a", "kind": "words", "vary": {"x": []}})"}, "compare.methods[0].vary"));
  CHECK(refuses({R"(compare.methods={"kind": "words"})"}, "compare.methods[0].name"));
}
