// Training rows that lie in a file train the same bits as those in memory (data.rows_in_memory_mib).
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyGpt;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::weights;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::string kInFile = " --set data.rows_in_memory_mib=0";

/// Trains with rows in memory into "memory" and with all of them in a file into "file"; what the runs say is equal.
void check_both_places(const Workspace& workspace, const std::string& settings) {
  const auto train = [&](const std::string& arguments) {
    const Finished finished = run_attune(workspace, "train run.json --json " + settings + arguments);
    INFO(finished.err);
    REQUIRE(finished.exit_code == 0);
    return finished;
  };
  const Finished memory = train(" --set output_dir=memory"), file = train(" --set output_dir=file" + kInFile);
  CHECK(weights(workspace, "memory") == weights(workspace, "file"));
  const Json in_memory = Json::parse(memory.out), in_file = Json::parse(file.out);
  for (const char* key : {"data", "majority", "validation", "reopened"}) CHECK(in_memory.value(key, Json()) == in_file.value(key, Json()));
  CHECK(in_memory.value("warnings", Json()) == in_file.value("warnings", Json()));
  const auto manifest = [&](const std::string& folder) { return Json::parse(workspace.read(folder + "/run_manifest.json")); };
  for (const char* key : {"inputs", "trajectory", "fit", "configuration"}) {
    Json a = manifest("memory")[key], b = manifest("file")[key];
    if (std::string(key) == "configuration") {
      for (Json* configuration : {&a, &b}) {
        configuration->erase("output_dir");
        (*configuration)["data"].erase("rows_in_memory_mib");
      }
    }
    INFO(key);
    CHECK(a == b);
  }
}

/// Documents of several lengths, prompts with completions and texts that occur twice.
std::string language_rows() {
  std::string rows;
  for (int i = 0; i < 40; ++i) {
    const std::string text = "my card is lost, where is my refund " + std::to_string(i % 30);
    rows += (i % 3 == 0 ? Json({{"prompt", text}, {"completion", " now"}}) : Json({{"text", text + (i % 4 == 0 ? " again and again and again" : "")}})).dump() + "\n";
  }
  return rows;
}

void write_language_job(const Workspace& workspace, const std::string& model, const std::string& task) {
  const Json config = {{"model", {{"path", model}, {"task", task}}},
                       {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"max_length", 40}}},
                       {"training", {{"num_train_epochs", 2}, {"per_device_train_batch_size", 4}, {"learning_rate", 0.02}, {"logging_steps", 1}}},
                       {"seeds", {1}},
                       {"threads", 1},
                       {"output_dir", "out"}};
  workspace.write("run.json", config.dump());
  workspace.write("train.jsonl", language_rows());
  workspace.write("valid.jsonl", "{\"text\": \"change my address\"}\n");
}

}  // namespace

TEST_CASE("rows of classes in a file train the bits of rows in memory", "[app][shell][long_data]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  check_both_places(workspace, "");
}

TEST_CASE("rows in a file are trained by tokens, with class weights, mixtures and frozen layers as those in memory", "[app][shell][long_data]") {
  for (const std::string settings :
       {"--set training.batch_by=tokens --set training.tokens_per_batch=64", "--set training.class_weights=balanced --set training.gradient_accumulation_steps=2",
        "--set 'data.train=[\"train.jsonl\", \"more.jsonl\"]' --set 'data.train_weights={\"more.jsonl\": 2.5}' --set training.group_by_length=true",
        "--set tuning.method=head",
        "--set tuning.method=head --set seeds=[1,2] --set threads=2"}) {  // seeds side by side read one list
    INFO(settings);
    const Workspace workspace;
    write_tiny_job(workspace);
    workspace.write("more.jsonl", tiny_rows(10));
    check_both_places(workspace, settings);
  }
}

TEST_CASE("rows of language models in a file train the bits of rows in memory", "[app][shell][language][long_data]") {
  for (const auto& [model, task] : {std::pair{kTinyGpt, "text-generation"}, std::pair{kTinyModel, "fill-mask"}}) {
    INFO(task);
    const Workspace workspace;
    write_language_job(workspace, model, task);
    if (std::string(task) == "fill-mask") workspace.write("train.jsonl", tiny_rows());
    check_both_places(workspace, "");
  }
}

TEST_CASE("numbers are learned from rows in a file as from rows in memory", "[app][shell][long_data]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += R"({"text": "my card )" + std::to_string(i) + R"(", "label": )" + std::to_string(i % 5) + (i == 39 ? ".5" : "") + "}\n";
  workspace.write("train.jsonl", rows);
  workspace.write("valid.jsonl", rows);
  check_both_places(workspace, "");
}

TEST_CASE("bad rows are skipped and named wherever rows lie", "[app][shell][long_data]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  workspace.write("train.jsonl", tiny_rows(20) + "{\"text\": 3}\n" + tiny_rows());
  check_both_places(workspace, "--set data.on_bad_row=skip");
  for (const std::string where : {std::string(), kInFile}) {
    const Finished refused = run_attune(workspace, "train run.json" + where);
    CHECK(refused.exit_code == 4);
    CHECK(refused.err.find("train.jsonl:21") != std::string::npos);
  }
  std::string text;
  for (int i = 0; i < 40; ++i) text += "my card is lost ";
  workspace.write("train.jsonl", tiny_rows(30) + Json({{"text", text}, {"label", "card"}}).dump() + "\n" + tiny_rows());
  for (const std::string where : {std::string(), kInFile}) {
    const Finished refused = run_attune(workspace, "train run.json --set data.max_length=100" + where);
    CHECK(refused.exit_code == 4);
    CHECK(refused.err.find("train.jsonl:31: the row has 100 tokens, the model takes at most 64") != std::string::npos);
  }
  workspace.write("train.jsonl", tiny_rows());
  const Finished diverged = run_attune(workspace, "train run.json --set training.learning_rate=1e30 --set training.max_grad_norm=0" + kInFile);
  CHECK(diverged.exit_code == 5);
  CHECK(diverged.err.find("train.jsonl lines ") != std::string::npos);
}

TEST_CASE("a row is known by its number however many come before it", "[app][shell][long_data]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  std::string rows;
  for (int i = 0; i < 1000; ++i) rows += tiny_rows();
  std::string text;
  for (int i = 0; i < 40; ++i) text += "my card is lost ";
  workspace.write("train.jsonl", rows + Json({{"text", text}, {"label", "card"}}).dump() + "\n");
  for (const std::string where : {std::string(" --set data.rows_in_memory_mib=1000"), kInFile}) {
    const Finished refused = run_attune(workspace, "train run.json --quiet --dry-run --set data.max_length=100" + where);
    INFO(refused.err);
    CHECK(refused.exit_code == 4);
    CHECK(refused.err.find("train.jsonl:48001: the row has 100 tokens") != std::string::npos);
  }
}

TEST_CASE("a run whose rows lie in a file is resumed and verified", "[app][shell][long_data]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("save_strategy": "steps", "save_steps": 4, "save_total_limit": 9)");
  REQUIRE(run_attune(workspace, "train run.json --quiet" + kInFile).exit_code == 0);
  const std::string whole = weights(workspace);
  const Finished verified = run_attune(workspace, "verify out --json");
  INFO(verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(Json::parse(verified.out)["verdict"] == "bit-equal");
  for (const auto& entry : fs::directory_iterator(workspace.path("out/checkpoints"))) {
    if (entry.path().filename() != "checkpoint-4") fs::remove_all(entry.path());
  }
  fs::remove(workspace.path("out/model.safetensors"));
  const Finished resumed = run_attune(workspace, "train run.json --resume" + kInFile);  // and where rows lie may change
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(resumed.err.find("at step 4") != std::string::npos);
  CHECK(weights(workspace) == whole);
  for (const auto& entry : fs::directory_iterator(workspace.path("out"))) CHECK_FALSE(entry.path().filename().string().starts_with(".scratch"));
}
