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
