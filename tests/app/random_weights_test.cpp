// Training from config.json and a tokenizer alone, through the built program.
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "attune/files/storage.h"
#include "catch.h"

namespace {

using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// The tiny model's folder without weights, and a job that starts from it.
void write_bare_job(const Workspace& workspace) {
  write_tiny_job(workspace, R"("num_train_epochs": 12)");
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
    workspace.write(std::string("bare/") + name, attune::files::read_file(kTinyModel + "/" + name));
  }
  Json config = Json::parse(workspace.read("run.json"));
  config["model"] = {{"path", "bare"}, {"init", "random"}};
  workspace.write("run.json", config.dump());
}

}  // namespace

TEST_CASE("a model without weights trains, saves, resumes and reopens", "[app][shell]") {
  const Workspace workspace;
  write_bare_job(workspace);
  const auto trained = run_attune(workspace, "train run.json --quiet --json");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json results = Json::parse(trained.out);
  CHECK(results["reopened"]["bit_equal"] == true);
  CHECK(results["train"]["train_loss"].get<double>() < 0.9);  // ln 3 = 1.10 to begin with
  CHECK(workspace.read("out/README.md").find("bare") == std::string::npos);
  CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'accuracy>=0.5'").exit_code == 0);
  CHECK(run_attune(workspace, "verify out").exit_code == 0);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=again").exit_code == 0);
  CHECK(workspace.read("out/model.safetensors") == workspace.read("again/model.safetensors"));
}

TEST_CASE("weights beside the configuration of a random start are not part of the job", "[app][shell]") {
  const Workspace workspace;
  write_bare_job(workspace);
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  fs::copy(kTinyModel + "/model.safetensors", workspace.path("bare/model.safetensors"));
  const auto verified = run_attune(workspace, "verify out");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
}

TEST_CASE("a tokenizer with more ids than the model is refused", "[app][shell]") {
  const Workspace workspace;
  write_bare_job(workspace);
  Json config = Json::parse(workspace.read("bare/config.json"));
  config["vocab_size"] = 100;
  workspace.write("bare/config.json", config.dump());
  const auto refused = run_attune(workspace, "train run.json --quiet");
  INFO(refused.err);
  CHECK(refused.exit_code == 3);
  CHECK(refused.err.find("vocab_size") != std::string::npos);
  CHECK(refused.err.find("162") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("out")));
}

TEST_CASE("a model whose positions begin behind the padding token takes that many fewer tokens, with a run and without", "[app][shell]") {
  const Workspace workspace;
  write_bare_job(workspace);
  Json config = Json::parse(workspace.read("bare/config.json"));
  config.update({{"model_type", "roberta"}, {"max_position_embeddings", 20}, {"pad_token_id", 0}});
  workspace.write("bare/config.json", config.dump());
  std::string text;
  for (int i = 0; i < 40; ++i) text += "my card is lost ";
  const std::string rows = workspace.read("train.jsonl"), row = Json({{"text", text}, {"label", "card"}}).dump() + "\n";
  workspace.write("train.jsonl", rows + row);
  workspace.write("long.jsonl", row);
  const auto check_refused = [&](const std::string& arguments, const std::string& error) {
    const auto refused = run_attune(workspace, arguments);
    INFO(refused.err);
    CHECK(refused.exit_code == 4);
    CHECK(refused.err.find(error) != std::string::npos);
  };
  check_refused("train run.json --quiet --set data.max_length=20", "train.jsonl:49: the row has 20 tokens, the model takes at most 19; set data.max_length to at most 19");
  const auto trained = run_attune(workspace, "train run.json --quiet --set data.max_length=19 --set training.max_steps=1");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  fs::remove(workspace.path("out/config.resolved.json"));
  const auto predicted = [&](const std::string& settings) {
    const auto finished = run_attune(workspace, "predict out long.jsonl --logits --quiet" + settings);
    INFO(finished.err);
    REQUIRE(finished.exit_code == 0);
    return finished.out;
  };
  CHECK(predicted("") == predicted(" --set data.max_length=19"));
  CHECK(predicted("") != predicted(" --set data.max_length=10"));
  check_refused("predict out long.jsonl --quiet --set data.max_length=20", "long.jsonl:1: the row has 20 tokens, the model takes at most 19");
}
