// bf16, half-precision checkpoints and devices through the built program.
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "attune/files/storage.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kSaves = R"("save_strategy": "steps", "save_steps": 4, "save_total_limit": null, "load_best_model_at_end": false)";

Json recorded(const Workspace& workspace, const std::string& folder) {
  return Json::parse(workspace.read(folder + "/config.resolved.json"))["training"]["bf16"];
}

}  // namespace

TEST_CASE("bf16 is part of the run: manifest, other weights, and evaluate agrees with what the run reported", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=plain").exit_code == 0);
  const Finished trained = run_attune(workspace, "train run.json --quiet --json --set training.bf16=true");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json results = Json::parse(trained.out);
  CHECK(results["reopened"]["bit_equal"] == true);
  CHECK(weights(workspace, "out") != weights(workspace, "plain"));
  const Json manifest = Json::parse(workspace.read("out/run_manifest.json"));
  CHECK(manifest["execution"] == Json({{"device", "cpu"}, {"precision", "bfloat16"}}));
  const Json evaluated = Json::parse(run_attune(workspace, "evaluate out valid.jsonl --json").out);
  CHECK(evaluated["metrics"]["loss"] == results["validation"]["metrics"]["loss"]);
  const Json in_float = Json::parse(run_attune(workspace, "evaluate out valid.jsonl --json --set training.bf16=false").out);
  CHECK(in_float["metrics"]["loss"] != evaluated["metrics"]["loss"]);
  const Finished verified = run_attune(workspace, "verify out");
  INFO(verified.out << verified.err);
  CHECK(verified.out.find("bit-equal") != std::string::npos);
}

TEST_CASE("bf16 auto is decided once: written down, logged, and kept when the run is resumed", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, kSaves);
  const Finished fresh = run_attune(workspace, "train run.json --set training.bf16=auto --set output_dir=fresh");
  REQUIRE(fresh.exit_code == 0);
  CHECK(fresh.err.find("training.bf16 \"auto\": ") != std::string::npos);
  CHECK(recorded(workspace, "fresh").is_boolean());
  // Whatever a measurement would say now, the run that goes on decides: one of these two would be refused otherwise.
  for (const std::string value : {"true", "false"}) {
    INFO("decided " << value);
    REQUIRE(run_attune(workspace, "train run.json --quiet --set training.bf16=" + value + " --set output_dir=whole-" + value).exit_code == 0);
    REQUIRE(run_attune(workspace, "train run.json --quiet --set training.bf16=" + value + " --set output_dir=cut-" + value).exit_code == 0);
    const fs::path checkpoints = workspace.path("cut-" + value + "/checkpoints");
    for (int step = 8; step <= 12; step += 4) fs::remove_all(checkpoints / ("checkpoint-" + std::to_string(step)));
    const std::string first = (checkpoints / "checkpoint-4").string();
    for (const std::string& from : {std::string("auto"), first}) {
      const Finished resumed = run_attune(workspace, "train run.json --set training.bf16=auto --set output_dir=cut-" + value + " --resume " + from);
      INFO(resumed.err);
      REQUIRE(resumed.exit_code == 0);
      CHECK(resumed.err.find("as the resumed run decided") != std::string::npos);
      CHECK(recorded(workspace, "cut-" + value).dump() == value);
      CHECK(weights(workspace, "cut-" + value) == weights(workspace, "whole-" + value));
    }
    const std::string other = value == "true" ? "false" : "true";
    CHECK(run_attune(workspace, "train run.json --set training.bf16=" + other + " --set output_dir=cut-" + value + " --resume").exit_code == 10);
  }
}

TEST_CASE("model.dtype decides how the model is saved; what was measured is what was saved", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  for (const std::string dtype : {"bfloat16", "float16"}) {
    INFO(dtype);
    const Finished trained = run_attune(workspace, "train run.json --quiet --json --set model.dtype=" + dtype + " --set output_dir=" + dtype);
    INFO(trained.err);
    REQUIRE(trained.exit_code == 0);
    CHECK(Json::parse(trained.out)["reopened"]["bit_equal"] == true);
    CHECK(Json::parse(workspace.read(dtype + "/config.json"))["dtype"] == dtype);
    const auto size = fs::file_size(workspace.path(dtype + "/model.safetensors"));
    CHECK(size < 0.6 * static_cast<double>(fs::file_size(kTinyModel + "/model.safetensors")));
    // The saved model is itself a base: auto goes on in its format.
    const Finished again = run_attune(workspace, "train run.json --quiet --set model.path=" + dtype + " --set output_dir=again-" + dtype);
    INFO(again.err);
    REQUIRE(again.exit_code == 0);
    CHECK(Json::parse(workspace.read("again-" + dtype + "/config.json"))["dtype"] == dtype);
  }
}

TEST_CASE("a GPU that this build cannot use is refused with the other problems of the configuration", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("learning_rat": 1)", R"("device": "cuda:1")");
  for (const std::string verb : {"train run.json", "config check run.json"}) {
    const Finished refused = run_attune(workspace, verb);
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(refused.err.find("learning_rat") != std::string::npos);
    CHECK(refused.err.find("CUDA") != std::string::npos);
    CHECK_FALSE(fs::exists(workspace.path("out")));
  }
}

TEST_CASE("where a model was trained does not bind where it is used", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  Json resolved = Json::parse(workspace.read("out/config.resolved.json"));
  resolved["device"] = "cuda:3";
  workspace.write("out/config.resolved.json", resolved.dump());
  const Finished evaluated = run_attune(workspace, "evaluate out valid.jsonl");
  INFO(evaluated.err);
  CHECK(evaluated.exit_code == 0);
  CHECK(run_attune(workspace, "evaluate out valid.jsonl --set device=cuda:3").exit_code == 2);
}
