// Whole runs whose folds and seeds are trained side by side.
#include <algorithm>
#include <csignal>
#include <numeric>

#include "app/program.h"
#include "attune/base/strings.h"
#include "catch.h"

namespace {

using attune::testing::appear;
using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;

/// Folds of which two have a core each.
constexpr const char* kFourFolds = R"("tuning": {"method": "head"}, "cross_validation": {"folds": 4, "inner_validation": 0.2})";

std::vector<Json> events_in(const Workspace& workspace, const std::string& folder) {
  std::vector<Json> events;
  for (const std::string& line : attune::split(workspace.read(folder + "/events.jsonl"), '\n')) {
    if (!line.empty()) events.push_back(Json::parse(line));
  }
  return events;
}

}  // namespace

TEST_CASE("folds side by side give the bits of folds one after another with as many threads each", "[app][shell][lanes]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kFourFolds);
  const std::string command = "train run.json --quiet --json --set output_dir=";
  const Finished beside = run_attune(workspace, command + "beside --set threads=2");
  INFO(beside.err);
  REQUIRE(beside.exit_code == 0);
  REQUIRE(run_attune(workspace, command + "alone").exit_code == 0);
  REQUIRE(run_attune(workspace, command + "nothing-kept --set threads=2 --set training.prefix_cache_mib=0").exit_code == 0);
  for (const char* file : {"/cv/cv_results.json", "/cv/oof_predictions.jsonl"}) {
    CHECK(workspace.read(std::string("beside") + file) == workspace.read(std::string("alone") + file));
    CHECK(workspace.read(std::string("beside") + file) == workspace.read(std::string("nothing-kept") + file));
  }
  std::vector<std::int64_t> held_out;
  for (const std::string& line : attune::split(workspace.read("beside/cv/oof_predictions.jsonl"), '\n')) {
    if (!line.empty()) held_out.push_back(Json::parse(line)["row"].get<std::int64_t>());
  }
  std::sort(held_out.begin(), held_out.end());
  std::vector<std::int64_t> every_row(48);
  std::iota(every_row.begin(), every_row.end(), 0);
  CHECK(held_out == every_row);
  const Json results = Json::parse(beside.out);
  CHECK(results["prefix_cache"]["computed"] == results["prefix_cache"]["texts"]);  // before the folds, once

  int fold = 0, in_lanes = 0;
  for (const Json& event : events_in(workspace, "beside")) {
    if (event["event"] == "fold_begin") CHECK(event["fold"] == ++fold);
    if (event["event"] == "fold_end") CHECK(event["fold"] == fold);
    in_lanes += event.contains("lanes") ? 1 : 0;
    if (event.contains("lanes")) CHECK(event["lanes"] == 2);
  }
  CHECK(fold == 4);
  CHECK(in_lanes > 0);
  double phases = 0;
  for (const auto& [name, seconds] : results["phases"].items()) phases += seconds.get<double>();
  CHECK(phases <= results["seconds"].get<double>());
  CHECK(results["cost"]["training"]["flops_frozen"].get<double>() > 0);

  const Finished verified = run_attune(workspace, "verify beside");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find("bit-equal") != std::string::npos);
  CHECK(run_attune(workspace, "verify beside --steps 1").exit_code == 0);
}

TEST_CASE("a signal stops the folds of all lanes, each goes on where it was", "[app][shell][lanes]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 120, "per_device_train_batch_size": 2, "save_strategy": "steps", "save_steps": 20)", kFourFolds);
  const std::string command = "train run.json --quiet --set threads=2 --set output_dir=";
  REQUIRE(run_attune(workspace, command + "whole").exit_code == 0);

  const pid_t child = start_attune(workspace, command + "stopped");
  CHECK(appear({workspace.path("stopped/cv/fold-1/checkpoints"), workspace.path("stopped/cv/fold-2/checkpoints")}));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 143);
  int stopped = 0;
  for (const Json& event : events_in(workspace, "stopped")) {
    if (event["event"] == "train_end" && event["stopped_by"] == "signal") ++stopped;
  }
  CHECK(stopped == 2);
  const Finished resumed = run_attune(workspace, command + "stopped --resume");
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(workspace.read("stopped/cv/oof_predictions.jsonl") == workspace.read("whole/cv/oof_predictions.jsonl"));
  std::filesystem::remove(workspace.path("stopped/cv/fold-3/fold_result.json"));  // a fold that is trained again alone
  REQUIRE(run_attune(workspace, command + "stopped --resume").exit_code == 0);
  CHECK(workspace.read("stopped/cv/oof_predictions.jsonl") == workspace.read("whole/cv/oof_predictions.jsonl"));
}

TEST_CASE("seeds side by side are written and verified as if each had run alone", "[app][shell][lanes]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "head"}, "seeds": [1, 2, 3])");
  const Finished beside = run_attune(workspace, "train run.json --quiet --json --set threads=2 --set output_dir=beside");
  INFO(beside.err);
  REQUIRE(beside.exit_code == 0);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=alone").exit_code == 0);
  for (const char* seed : {"1", "2"}) {  // the third is left over and has both threads
    CHECK(weights(workspace, attune::concat("beside/seed-", seed)) == weights(workspace, attune::concat("alone/seed-", seed)));
  }
  CHECK(Json::parse(beside.out)["seeds"].size() == 3);
  for (const char* folder : {"beside", "beside/seed-1", "beside/seed-2", "beside/seed-3"}) {
    const Finished verified = run_attune(workspace, std::string("verify ") + folder);
    INFO(folder << verified.out << verified.err);
    CHECK(verified.exit_code == 0);
    CHECK(Json::parse(workspace.read(std::string(folder) + "/run_manifest.json"))["environment"]["threads"] == 2);
  }
}
