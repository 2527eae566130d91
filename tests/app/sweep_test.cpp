// attune sweep: settings side by side, chosen by validation rows or folds, test rows opened once.
#include <algorithm>
#include <csignal>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::appear;
using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;

/// A job whose head alone trains, with test rows.
void write_sweep_job(const Workspace& workspace) {
  write_tiny_job(workspace, "", R"("tuning": {"method": "head"})");
  workspace.write("test.jsonl", tiny_rows(24));
}

constexpr const char* kSweep = "sweep run.json --json --progress json --set data.test=test.jsonl --vary training.learning_rate=1e-5,0.05 --vary training.num_train_epochs=1,3";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a sweep keeps the model of its best point, the same as that of its run alone", "[app][shell]") {
  const Workspace workspace;
  write_sweep_job(workspace);
  const Finished swept = run_attune(workspace, kSweep);
  INFO(swept.err);
  REQUIRE(swept.exit_code == 0);
  const Json results = Json::parse(swept.out);
  REQUIRE(results["points"].size() == 4);
  CHECK(results["metric"] == "loss");
  double best = 1e9;
  for (const Json& point : results["points"]) best = std::min(best, point["value"].get<double>());
  const Json& chosen = results["points"][std::stoul(results["chosen"].get<std::string>().substr(6)) - 1];
  CHECK(chosen["value"] == best);

  const std::string settings = " --set " + chosen["settings"][0].get<std::string>() + " --set " + chosen["settings"][1].get<std::string>();
  const Finished alone = run_attune(workspace, "train run.json --json --quiet --set data.test=test.jsonl --set output_dir=alone" + settings);
  REQUIRE(alone.exit_code == 0);
  CHECK(weights(workspace, "out") == weights(workspace, "alone"));
  CHECK(workspace.read("out/predictions.jsonl") == workspace.read("alone/predictions.jsonl"));
  CHECK(workspace.read("out/test_results.json") == workspace.read("alone/test_results.json"));
  const Json all = Json::parse(workspace.read("out/all_results.json"));
  CHECK(all.contains("eval_accuracy"));
  CHECK(all.contains("test_accuracy"));
  CHECK(results["test"]["metrics"]["accuracy"] == all["test_accuracy"]);
  CHECK(workspace.read("out/report.html").find("test") != std::string::npos);

  SECTION("what all points cost is summed, and told") {
    double flops = 0, seconds = 0, frozen = 0;
    for (const Json& point : results["points"]) {
      const Json cost = Json::parse(workspace.read("out/" + point["name"].get<std::string>() + "/cost_results.json"));
      CHECK(point["cost"]["flops"] == cost["run"]["flops"]);
      CHECK(point["cost"]["seconds"] == cost["run"]["seconds"]);
      flops += cost["run"]["flops"].get<double>();
      seconds += cost["run"]["seconds"].get<double>();
      frozen += point["cost"].value("flops_frozen", 0.0);
    }
    CHECK(results["cost"]["flops"].get<double>() == Approx(flops));
    CHECK(results["cost"]["seconds"].get<double>() == Approx(seconds));
    CHECK(results["cost"]["flops_frozen"].get<double>() == Approx(frozen));
    CHECK(results["points"][0]["cost"]["flops_frozen"] == results["cost"]["flops_frozen"]);  // the others found all texts there
    const std::string page = workspace.read("out/report.html");
    CHECK(page.find("This folder holds " + results["chosen"].get<std::string>() + ", the best of 4 by loss") != std::string::npos);
    CHECK(page.find("4 points: ") != std::string::npos);
    CHECK(page.find("which the first point to read a text pays for all") != std::string::npos);
  }
  SECTION("no point opens the test rows") {
    for (const std::string point : {"point-1", "point-4"}) {
      CHECK_FALSE(std::filesystem::exists(workspace.path("out/" + point + "/test_results.json")));
      CHECK_FALSE(std::filesystem::exists(workspace.path("out/" + point + "/predictions.jsonl")));
    }
  }
  SECTION("the frozen layers' work is shared") {
    // Both count since the process began.
    std::int64_t computed = -1, reused = 0;
    for (const int point : {1, 2, 3, 4}) {
      const std::string events = workspace.read("out/point-" + std::to_string(point) + "/events.jsonl");
      const std::size_t at = events.find("\"event\":\"prefix_cache\"");
      REQUIRE(at != std::string::npos);
      const std::size_t line = events.rfind('\n', at) + 1;
      const Json event = Json::parse(events.substr(line, events.find('\n', at) - line));
      if (computed < 0) computed = event["computed"].get<std::int64_t>();
      CHECK(event["computed"] == computed);
      CHECK(event["reused"].get<std::int64_t>() > reused);
      reused = event["reused"].get<std::int64_t>();
    }
  }
  SECTION("its folders pass verification") {
    for (const std::string folder : {"out", "out/point-1"}) {
      const Finished verified = run_attune(workspace, "verify " + folder);
      INFO(verified.out << verified.err);
      CHECK(verified.exit_code == 0);
    }
  }
  SECTION("a finished sweep is read, not trained, when it is resumed") {
    const std::string before = workspace.read("out/point-1/events.jsonl");
    std::filesystem::remove(workspace.path("out/sweep_results.json"));
    std::filesystem::remove(workspace.path("out/point-4/point_results.json"));
    const Finished resumed = run_attune(workspace, std::string(kSweep) + " --resume");
    INFO(resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(count(resumed.err, "\"event\":\"train_begin\"") == 1);
    CHECK(workspace.read("out/point-1/events.jsonl") == before);
    CHECK(Json::parse(resumed.out)["chosen"] == results["chosen"]);

    const Finished other = run_attune(workspace, "sweep run.json --resume --vary training.learning_rate=1e-5,0.04");
    CHECK(other.exit_code == 10);
    workspace.write("train.jsonl", tiny_rows(45));
    CHECK(run_attune(workspace, std::string(kSweep) + " --resume").exit_code == 10);
  }
}

TEST_CASE("a sweep that a signal stops goes on inside its point, and ends as one that nothing stopped", "[app][shell]") {
  const Workspace workspace;
  const bool at_once = GENERATE(false, true);
  write_tiny_job(workspace, R"("num_train_epochs": 15, "per_device_train_batch_size": 2, "save_strategy": "steps", "save_steps": 20)",
                 at_once ? R"("overwrite_output_dir": true)" : "");
  workspace.write("test.jsonl", tiny_rows(24));
  const std::string settings = " --json --quiet --set data.test=test.jsonl --set output_dir=";
  const std::string vary = "sweep run.json --vary training.learning_rate=1e-5,0.01,0.02";
  const Finished whole = run_attune(workspace, vary + settings + "whole");
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);

  // In the middle of the second point, or as soon as the first has ended.
  const pid_t child = start_attune(workspace, vary + settings + "out 2>stderr.txt");
  CHECK(appear({workspace.path(at_once ? "out/point-1/point_results.json" : "out/point-2/checkpoints")}));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 143);
  for (const char* unfinished : {"point-2/point_results.json", "point-3", "sweep_results.json", "model.safetensors"}) {
    CHECK_FALSE(std::filesystem::exists(workspace.path(std::string("out/") + unfinished)));
  }
  const std::string first = workspace.read("out/point-1/events.jsonl"), said = workspace.read("stderr.txt"), before = "go on with: attune ";
  REQUIRE(said.find(before) != std::string::npos);
  std::string command = said.substr(said.find(before) + before.size());
  command.pop_back();

  const Finished resumed = run_attune(workspace, command + " --json --progress json");
  INFO(command << "\n" << resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(count(resumed.err, "\"event\":\"train_begin\"") == 2);
  CHECK(resumed.err.find("there is no checkpoint") == std::string::npos);
  CHECK(workspace.read("out/point-1/events.jsonl") == first);
  for (const std::string folder : {"", "/point-2", "/point-3"}) {
    INFO(folder);
    CHECK(weights(workspace, "out" + folder) == weights(workspace, "whole" + folder));
    CHECK(workspace.read("out" + folder + "/eval_predictions.jsonl") == workspace.read("whole" + folder + "/eval_predictions.jsonl"));
  }
  CHECK(workspace.read("out/predictions.jsonl") == workspace.read("whole/predictions.jsonl"));
  Json results = Json::parse(resumed.out), expected = Json::parse(whole.out);
  for (Json* each : {&results, &expected}) {
    for (const char* own : {"output_dir", "cost", "opening"}) each->erase(own);  // (openings count: both look at the same rows)
    for (Json& point : (*each)["points"]) {
      for (const char* own : {"seconds", "cost"}) point.erase(own);
    }
  }
  CHECK(results == expected);
  CHECK(run_attune(workspace, "verify out/point-2 --quiet").exit_code == 0);
}

TEST_CASE("a point that diverges is passed over; when all do, that is an error", "[app][shell]") {
  const Workspace workspace;
  write_sweep_job(workspace);
  const std::string no_clipping = " --set training.max_grad_norm=0 --set training.optim=sgd";
  const Finished swept = run_attune(workspace, "sweep run.json --json --quiet --vary training.learning_rate=0.01,1e38" + no_clipping);
  INFO(swept.err);
  REQUIRE(swept.exit_code == 0);
  const Json results = Json::parse(swept.out);
  CHECK(results["points"][1].contains("failed"));
  CHECK(results["chosen"] == "point-1");
  CHECK(results["cost"]["unknown"] == 1);
  CHECK(results["cost"]["flops"] == results["points"][0]["cost"]["flops"]);
  CHECK(results["points"][1]["cost"]["seconds"].get<double>() > 0);
  CHECK(workspace.read("out/report.html").find("of 1 point that diverged the time alone") != std::string::npos);
  CHECK(run_attune(workspace, "sweep run.json --quiet --vary training.learning_rate=1e37,1e38 --set output_dir=all" + no_clipping).exit_code == 5);
}

TEST_CASE("a point that fails otherwise ends the sweep by its name, and the sweep goes on behind the points before it", "[app][shell]") {
  const Workspace workspace;
  write_sweep_job(workspace);
  const std::string vary = "sweep run.json --json --quiet --vary data.template='[null,\"{{text}} {{text}}\",\"{{txt}}\"]'";
  const Finished failed = run_attune(workspace, vary);
  INFO(failed.err);
  CHECK(failed.exit_code == 4);
  for (const char* part : {"the sweep ends at point-3 (data.template=\"{{txt}}\")", "--resume goes on at point-3"}) CHECK(failed.err.find(part) != std::string::npos);
  CHECK(std::filesystem::exists(workspace.path("out/point-2/point_results.json")));

  // Resumed, it comes to the same place without training the others again.
  const std::string first = workspace.read("out/point-1/events.jsonl");
  CHECK(run_attune(workspace, vary + " --resume").exit_code == 4);
  CHECK(workspace.read("out/point-1/events.jsonl") == first);
}

TEST_CASE("points can be compared over folds", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "head"}, "cross_validation": {"folds": 3})");
  const Finished swept = run_attune(workspace, "sweep run.json --json --quiet --vary training.learning_rate=1e-5,0.05");
  INFO(swept.err);
  REQUIRE(swept.exit_code == 0);
  const Json results = Json::parse(swept.out);
  CHECK(results["measured_on"] == "folds");
  const bool second = results["points"][1]["value"].get<double>() < results["points"][0]["value"].get<double>();
  CHECK(results["chosen"] == (second ? "point-2" : "point-1"));
  const Json folds = Json::parse(workspace.read("out/point-2/cv/cv_results.json"));
  CHECK(results["points"][1]["value"] == folds["mean"]["loss"]);
}

TEST_CASE("what cannot be swept is refused before anything is written", "[app][shell]") {
  const Workspace workspace;
  write_sweep_job(workspace);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "nothing varies"},
      {"--vary training.learning_rate", "is not KEY=V1,V2"},
      {"--vary training.learning_rate=1e-4,,1e-3", "a value is empty"},
      {"--vary training.learning_rate=1e-4,1e-4", "twice"},
      {"--vary seeds=1,2", "seeds"},
      {"--vary output_dir=a,b", "must be the same"},
      {"--vary training.prefix_cache_mib=1,2", "must be the same"},
      {"--vary training.learning_rate=1e-4 --set resume_from_checkpoint=auto", "does not begin at a checkpoint"},
      {"--vary training.learning_rate=1e-4,x", "learning_rate"},
      {"--vary training.learning_rat=1e-4,1e-3", "learning_rate"},
      {"--vary training.metric_for_best_model=accuracy,f1", "is measured by"},
      {"--vary training.learning_rate=1e-4 --set data.validation=[]", "nothing to choose by"}};
  for (const auto& [arguments, message] : cases) {
    INFO(arguments);
    const Finished refused = run_attune(workspace, "sweep run.json --quiet " + arguments);
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(refused.err.find(message) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(workspace.path("out")));
  }
  const Finished planned = run_attune(workspace, "sweep run.json --dry-run --vary training.learning_rate=1e-4,1e-3");
  CHECK(planned.exit_code == 0);
  CHECK(planned.out.find("point-2") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(workspace.path("out")));
}
