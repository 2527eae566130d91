// Soft prompts and asking together, from a shell: virtual tokens that start at the words a study chose, and a model
// with virtual tokens that is asked.
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "app/program.h"
#include "attune/text/tokenizer.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using Json = nlohmann::ordered_json;

/// The rows of tiny_rows as texts with answers.
std::string answered_rows(int rows) {
  std::istringstream lines(tiny_rows(rows));
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    all += Json({{"prompt", "Message: " + row["text"].get<std::string>() + "\nTopic:"},
                 {"completion", " " + row["label"].get<std::string>()}})
               .dump() +
           "\n";
  }
  return all;
}

Json asked_config(const std::string& model, const std::string& prompts, const std::string& output) {
  return {{"model", {{"path", model}, {"task", "text-generation"}}},
          {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}}},
          {"prompting", {{"prompts", prompts}}},
          {"seeds", {1}},
          {"threads", 1},
          {"output_dir", output}};
}

/// A study of two instructions, and a training that starts at the better one.
void write_soft_job(const Workspace& workspace) {
  const std::string model = ATTUNE_SOURCE_DIR "/data/tiny-gpt";
  workspace.write("train.jsonl", tiny_rows(24));
  workspace.write("valid.jsonl", tiny_rows(12));
  workspace.write("answers.jsonl", answered_rows(24));
  workspace.write("answers_valid.jsonl", answered_rows(6));
  workspace.write("prompts.json",
                  R"({"instruction": ["Name the topic.", "What is it about?"], "background": "A bank sorts messages.",)"
                  R"( "input": "Message: {{ text }}\nTopic:"})");
  workspace.write("bare.json", R"({"input": "Message: {{ text }}\nTopic:"})");
  workspace.write("ask.json", asked_config(model, "prompts.json", "asked").dump());
  const Json train = {
      {"model", {{"path", model}, {"task", "text-generation"}}},
      {"data", {{"train", "answers.jsonl"}, {"validation", "answers_valid.jsonl"}, {"max_length", 64}}},
      {"tuning",
       {{"method", "prompt_tuning"}, {"prompt_tuning", {{"init_from", "asked"}, {"num_virtual_tokens", 12}}}}},
      {"training",
       {{"max_steps", 4},
        {"per_device_train_batch_size", 8},
        {"learning_rate", 0.05},
        {"eval_strategy", "steps"},
        {"eval_steps", 4}}},
      {"seeds", {1}},
      {"threads", 1},
      {"output_dir", "soft"}};
  workspace.write("soft.json", train.dump());
}

void run_or_fail(const Workspace& workspace, const std::string& arguments) {
  const Finished finished = run_attune(workspace, arguments + " --quiet");
  INFO(arguments << "\n" << finished.err);
  REQUIRE(finished.exit_code == 0);
}

Json results_in(const Workspace& workspace, const std::string& file) {
  return Json::parse(workspace.read(file));
}

}  // namespace

TEST_CASE("a soft prompt starts at the words that a study of prompts chose, and is asked", "[app][shell][virtual]") {
  const Workspace workspace;
  write_soft_job(workspace);
  std::string words;
  SECTION("by a search") {
    run_or_fail(workspace, "prompt optimise ask.json");
    words = results_in(workspace, "asked/optimise_results.json")["chosen"]["header"].get<std::string>();
  }
  SECTION("by stability") {
    run_or_fail(workspace, "prompt stability ask.json");
    const Json results = results_in(workspace, "asked/stability_results.json");
    for (const Json& one : results["wordings"]) {
      if (one["name"] == results["best"]) words = one["header"].get<std::string>();
    }
  }
  SECTION("by asking in all wordings") {
    run_or_fail(workspace, "prompt run ask.json");
    Json results = results_in(workspace, "asked/prompt_results.json");
    results["wordings"][0]["metrics"]["accuracy"] = 0.25;
    results["wordings"][1]["metrics"]["accuracy"] = 0.5;
    workspace.write("asked/prompt_results.json", results.dump());
    words = results["wordings"][1]["header"].get<std::string>();
    CHECK(words == "A bank sorts messages.\nWhat is it about?");
  }
  CHECK(words.starts_with("A bank sorts messages.\n"));

  run_or_fail(workspace, "train soft.json");
  const Json prompt = results_in(workspace, "soft/config.resolved.json")["tuning"]["prompt_tuning"];
  CHECK(prompt["prompt_tuning_init"] == "TEXT");
  CHECK(prompt["prompt_tuning_init_text"] == words);
  CHECK(prompt["init_from"] == nullptr);
  CHECK(results_in(workspace, "soft/adapter_config.json")["prompt_tuning_init_text"] == words);
  CHECK(results_in(workspace, "soft/run_manifest.json")["reopened"]["bit_equal"] == true);
  std::filesystem::remove_all(workspace.path("asked"));
  run_or_fail(workspace, "verify soft");

  workspace.write("again.json", asked_config("soft", "bare.json", "again").dump());
  run_or_fail(workspace, "prompt run again.json");
  const Json asked = results_in(workspace, "again/prompt_results.json")["wordings"][0];
  CHECK(asked["header"] == "");
  CHECK(std::isfinite(asked["metrics"]["loss"].get<double>()));
  // The 12 virtual tokens go through the network once, and what the prompts share.
  CHECK(asked["computed_tokens"].get<std::int64_t>() < asked["tokens"].get<std::int64_t>());
}

TEST_CASE("a soft prompt starts at the wording that writes the best texts", "[app][shell][virtual]") {
  const Workspace workspace;
  write_soft_job(workspace);
  const auto wording = [](const char* header, const Json& scores) {
    Json one = {{"name", header}, {"header", header}};
    one.update(scores);
    return one;
  };
  Json wordings;
  SECTION("by ROUGE-L, whatever keeps assertions") {
    wordings = {wording("Worse.", {{"metrics", {{"rougeL", 0.25}}}, {"all_assertions", 1.0}}),
                wording("Better.", {{"metrics", {{"rougeL", 0.5}}}, {"all_assertions", 0.0}})};
  }
  SECTION("by assertions where rows have no texts") {
    wordings = {wording("Worse.", {{"all_assertions", 0.25}}), wording("Better.", {{"all_assertions", 0.5}})};
  }
  const Json results = {{"answer", "text"}, {"stopped_by", "end"}, {"split", "validation"}, {"wordings", wordings}};
  workspace.write("asked/prompt_results.json", results.dump());
  run_or_fail(workspace, "train soft.json");
  const Json prompt = results_in(workspace, "soft/config.resolved.json")["tuning"]["prompt_tuning"];
  CHECK(prompt["prompt_tuning_init_text"] == "Better.");
}

TEST_CASE("a soft prompt that starts at a text says what the text says", "[app][shell][virtual]") {
  const Workspace workspace;
  write_soft_job(workspace);
  const std::string model = ATTUNE_SOURCE_DIR "/data/tiny-gpt",
                    header = "A bank sorts the messages of its customers.\n";
  workspace.write("told.json",
                  Json({{"header", header}, {"separator", ""}, {"input", "Message: {{ text }}\nTopic:"}}).dump());
  workspace.write("ask_told.json", asked_config(model, "told.json", "told").dump());
  run_or_fail(workspace, "prompt run ask_told.json");

  const auto tokens = attune::text::Tokenizer::from_folder(model).encode({.text = header}).ids.size();
  Json config = results_in(workspace, "soft.json");
  config["tuning"]["prompt_tuning"] = {
      {"prompt_tuning_init", "TEXT"}, {"prompt_tuning_init_text", header}, {"num_virtual_tokens", tokens}};
  config["training"].update({{"max_steps", 1}, {"eval_steps", 1}, {"learning_rate", 1e-12}});
  workspace.write("soft.json", config.dump());
  run_or_fail(workspace, "train soft.json");
  workspace.write("ask_soft.json", asked_config("soft", "bare.json", "again").dump());
  run_or_fail(workspace, "prompt run ask_soft.json");

  std::istringstream told(workspace.read("told/wordings/1.jsonl")), soft(workspace.read("again/wordings/1.jsonl"));
  std::int64_t rows = 0;
  for (std::string one, other; std::getline(told, one); ++rows) {
    REQUIRE(std::getline(soft, other));
    const Json of_soft = Json::parse(other);
    const Json of_told = Json::parse(one);
    for (const auto& [label, p] : of_told["scores"].items())
      CHECK(p.get<double>() == Approx(of_soft["scores"][label].get<double>()).margin(1e-5));
  }
  CHECK(rows == 12);
}

TEST_CASE("studies that cannot say where to start are refused with their file", "[app][shell][virtual]") {
  const Workspace workspace;
  write_soft_job(workspace);
  run_or_fail(workspace, "prompt run ask.json");
  const Json results = results_in(workspace, "asked/prompt_results.json");
  const auto refused = [&](const std::string& file, const std::string& part) {
    const Finished finished = run_attune(workspace, "train soft.json --quiet");
    INFO(finished.err);
    CHECK(finished.exit_code == 2);
    CHECK_THAT(finished.err, ContainsSubstring(file));
    CHECK_THAT(finished.err, ContainsSubstring("tuning.prompt_tuning.init_from"));
    CHECK_THAT(finished.err, ContainsSubstring(part));
    CHECK_FALSE(std::filesystem::exists(workspace.path("soft")));
  };
  const auto with = [&](const char* key, const Json& value) {
    Json changed = results;
    changed[key] = value;
    workspace.write("asked/prompt_results.json", changed.dump());
  };
  with("stopped_by", "signal");
  refused("asked/prompt_results.json", "the study was stopped");
  with("split", "test");
  refused("asked/prompt_results.json", "the test rows");
  Json wordings = results["wordings"];
  for (Json& one : wordings) one["header"] = " \n";
  with("wordings", wordings);
  refused("asked/prompt_results.json", "has no header");
  for (Json& one : wordings) one.erase("header");
  with("wordings", wordings);
  refused("asked/prompt_results.json", "it does not say");
  with("wordings", Json::array());
  refused("asked/prompt_results.json", "it does not say");
  workspace.write("asked/prompt_results.json", "[]");
  refused("asked/prompt_results.json", "it does not say");
  std::filesystem::remove(workspace.path("asked/prompt_results.json"));
  refused("asked", "no results of a finished study");
}
