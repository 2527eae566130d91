// What whole runs say that they cost, and batches by tokens from the configuration on.
#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::weights;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;

std::vector<Json> events_of(const Workspace& workspace, const std::string& kind) {
  std::vector<Json> events;
  std::istringstream lines(workspace.read("out/events.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    Json event = Json::parse(line);
    if (event["event"] == kind) events.push_back(std::move(event));
  }
  return events;
}

double sum(const std::vector<Json>& events, const std::string& work, const std::string& key) {
  double sum = 0;
  for (const Json& event : events) {
    if (event["work"] == work) sum += event[key].get<double>();
  }
  return sum;
}

}  // namespace

TEST_CASE("a run says what it cost in events, results, report and on the terminal", "[app][shell][cost]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("cost": {"price_per_hour": 36, "currency": "EUR", "measure_rate": true})");
  const Finished trained = run_attune(workspace, "train run.json --quiet --json");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json cost = Json::parse(trained.out)["cost"];
  CHECK(Json::parse(workspace.read("out/cost_results.json")) == cost);
  CHECK(events_of(workspace, "run_end").back()["cost"] == cost);
  const std::vector<Json> events = events_of(workspace, "cost");
  CHECK(events.size() == 4);  // two evaluations while it trains, the training, the final evaluation
  for (const char* key : {"tokens", "flops_forward", "flops_frozen"}) {
    CHECK(cost["training"][key].get<double>() == sum(events, "training", key));
    CHECK(cost["evaluation"][key].get<double>() == sum(events, "evaluation", key));
  }
  const Json train = Json::parse(workspace.read("out/train_results.json"));
  CHECK(train["total_flos"] == cost["training"]["flops"]);
  CHECK(train["train_tokens"] == cost["training"]["tokens"]);
  CHECK(cost["training"]["supervised"] == 2 * 48);
  CHECK(cost["run"]["money"].get<double>() == Approx(cost["run"]["seconds"].get<double>() / 100));
  CHECK(cost["share_of_matrix_rate"].get<double>() > 0);
  CHECK(cost["share_of_matrix_rate"].get<double>() < 1);
  CHECK(workspace.read("out/report.html").find("<h2>Cost</h2>") != std::string::npos);

  const Finished shown = run_attune(workspace, "train run.json --quiet --set output_dir=again");
  for (const char* part : {"\nwork      ", "FLOP in training, ", "\nlimit     training steps reached ", "\nmemory    ", "\nmoney     ", " EUR\n"}) {
    INFO(shown.out);
    CHECK(shown.out.find(part) != std::string::npos);
  }
  CHECK(weights(workspace, "again") == weights(workspace));
}

TEST_CASE("info says whether energy can be read", "[app][shell][cost]") {
  const Workspace workspace;
  const Json info = Json::parse(run_attune(workspace, "info --json").out);
  CHECK(info["energy"].is_array());
  CHECK((!info["energy"].empty() || !info["energy_missing"].get<std::string>().empty()));
}

TEST_CASE("folds train in batches of tokens, and their costs add up", "[app][shell][cost]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("tokens_per_batch": 64, "gradient_accumulation_steps": 2, "warmup_steps": 0.1)",
                 R"("cross_validation": {"folds": 3, "refit": true})");
  const Finished trained = run_attune(workspace, "train run.json --quiet --json");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json cost = Json::parse(trained.out)["cost"];
  const std::vector<Json> events = events_of(workspace, "cost");
  CHECK(cost["training"]["tokens"].get<double>() == sum(events, "training", "tokens"));
  CHECK(std::count_if(events.begin(), events.end(), [](const Json& event) { return event["work"] == "training"; }) == 4);
  for (const Json& begun : events_of(workspace, "train_begin")) CHECK(begun["steps"].get<int>() > 0);
  CHECK(Json::parse(workspace.read("out/config.resolved.json"))["training"]["batch_by"] == "tokens");
}

TEST_CASE("a row that no batch of tokens can hold is named before anything is written", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("tokens_per_batch": 8)");
  const Finished refused = run_attune(workspace, "train run.json --quiet");
  INFO(refused.err);
  CHECK(refused.exit_code == 4);
  for (const char* part : {"train.jsonl:", "a batch (training.tokens_per_batch) has at most 8", "raise training.tokens_per_batch"}) {
    CHECK(refused.err.find(part) != std::string::npos);
  }
  CHECK_FALSE(attune::testing::fs::exists(workspace.path("out")));
}
