// Whole runs with frozen layers: keeping what these compute changes no result, and is told.
#include "app/program.h"
#include "attune/base/strings.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;

/// Trains with the cache into "with" and without it into "without"; what the first run printed as JSON.
Json train_both_ways(const Workspace& workspace, const std::string& settings) {
  const std::string command = "train run.json --json --quiet --set " + settings + " --set output_dir=";
  const Finished with = run_attune(workspace, command + "with");
  const Finished without = run_attune(workspace, command + "without --set training.prefix_cache_mib=0");
  INFO(with.err << without.err);
  REQUIRE(with.exit_code == 0);
  REQUIRE(without.exit_code == 0);
  return Json::parse(with.out);
}

constexpr const char* kFreezeAllButLast = "'tuning={\"method\": \"freeze\", \"freeze\": {\"trainable_layers\": 1}}'";

}  // namespace

TEST_CASE("frozen layers that are computed once give the weights and scores of those computed again", "[app][shell]") {
  for (const std::string& settings : {std::string("tuning.method=head"), std::string(kFreezeAllButLast)}) {
    INFO(settings);
    const Workspace workspace;
    write_tiny_job(workspace);
    const Json results = train_both_ways(workspace, settings);
    CHECK(weights(workspace, "with") == weights(workspace, "without"));
    for (const char* file : {"eval_predictions.jsonl", "eval_detail.json"}) {
      CHECK(workspace.read(std::string("with/") + file) == workspace.read(std::string("without/") + file));
    }
    const Json& did = results["prefix_cache"];
    CHECK(did["computed"] == did["texts"]);
    CHECK(did["reused"].get<int>() > did["computed"].get<int>());
    CHECK(workspace.read("with/events.jsonl").find("\"event\":\"prefix_cache\"") != std::string::npos);
  }
}

TEST_CASE("folds, seeds and the refit share what frozen layers computed", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("cross_validation": {"folds": 4, "inner_validation": 0.2, "refit": true})");
  const Json folds = train_both_ways(workspace, kFreezeAllButLast);
  for (const char* file : {"model.safetensors", "cv/cv_results.json", "cv/oof_predictions.jsonl"}) {
    INFO(file);
    CHECK(workspace.read(std::string("with/") + file) == workspace.read(std::string("without/") + file));
  }
  CHECK(folds["prefix_cache"]["computed"] == folds["prefix_cache"]["texts"]);

  const Workspace seeds;
  write_tiny_job(seeds);
  const Json both = train_both_ways(seeds, "tuning.method=head --set seeds=[1,2]");
  CHECK(weights(seeds, "with/seed-2") == weights(seeds, "without/seed-2"));
  CHECK(both["prefix_cache"]["computed"] == both["prefix_cache"]["texts"]);
}

TEST_CASE("a model without frozen layers below the trained ones says nothing of keeping them", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Finished trained = run_attune(workspace, "train run.json --json --quiet");
  REQUIRE(trained.exit_code == 0);
  CHECK_FALSE(Json::parse(trained.out).contains("prefix_cache"));
}

TEST_CASE("with dropout on in frozen layers they are computed each time", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Finished trained = run_attune(workspace, "train run.json --json --quiet --set tuning.method=head --set training.frozen_dropout=true");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  CHECK_FALSE(Json::parse(trained.out).contains("prefix_cache"));
}

TEST_CASE("memory to keep what frozen layers compute is told of once where there is nothing to keep", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("max_steps": 1)");
  const auto warnings = [&](const std::string& settings) {
    const Finished trained = run_attune(workspace, "train run.json --quiet " + settings);
    CHECK(trained.exit_code == 0);
    std::filesystem::remove_all(workspace.path("out"));
    std::string lines;
    for (const std::string& line : attune::split(trained.err, '\n')) {
      if (line.find("prefix_cache_mib") != std::string::npos) lines += line + "\n";
    }
    return lines;
  };
  const std::string memory = " --set training.prefix_cache_mib=64", head = "--set tuning.method=head";
  const std::string none = "warning: training.prefix_cache_mib has no effect, nothing that frozen layers compute can be kept: ";
  CHECK(warnings(memory + " --set seeds=[1,2]") == none + "no layer below the trained ones is frozen\n");
  CHECK(warnings(head + memory + " --set training.frozen_dropout=true") == none + "under training.frozen_dropout they give other values each time\n");
  for (const std::string& settings : {std::string(), head + memory, std::string("--set training.prefix_cache_mib=0")}) {
    INFO(settings);
    CHECK(warnings(settings).empty());
  }
}

TEST_CASE("a run with frozen layers passes its verification", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set tuning.method=head").exit_code == 0);
  const Finished verified = run_attune(workspace, "verify out");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find("bit-equal") != std::string::npos);
}
