// Self-training with the built program: rounds, what is told of them, interruptions, repetition, and as a method of
// studies.
#include <algorithm>
#include <csignal>
#include <filesystem>

#include "app/comparison.h"
#include "catch.h"

using namespace attune::testing;

namespace {

constexpr const char* kGpt = ATTUNE_SOURCE_DIR "/data/tiny-gpt";

const Json kTuning = {{"self_training", Json::object()}};

/// Twelve labelled rows, forty without labels, three of which are rows that are scored; two wordings.
void write_self_job(const Workspace& workspace, const Json& top = Json::object()) {
  workspace.write("few.jsonl", topic_rows(12, "learn"));
  workspace.write("more.jsonl", topic_rows(40, "more") + topic_rows(2, "test") + topic_rows(1, "choose"));
  workspace.write("valid.jsonl", topic_rows(10, "choose"));
  workspace.write("test.jsonl", topic_rows(20, "test"));
  workspace.write("prompts.json", R"({"input": ["Message: {{ text }}\nTopic:", "{{ text }}\n=>"]})");
  Json config = {
      {"model", {{"path", kGpt}, {"task", "text-generation"}}},
      {"data",
       {{"train", "few.jsonl"},
        {"unlabelled", "more.jsonl"},
        {"validation", "valid.jsonl"},
        {"test", "test.jsonl"},
        {"prompts", "prompts.json"},
        {"train_wordings", "*"}}},
      {"tuning", kTuning},
      {"training",
       {{"num_train_epochs", 3}, {"per_device_train_batch_size", 8}, {"learning_rate", 1e-3}, {"logging_steps", 1}}},
      {"seeds", {1}},
      {"threads", 1},
      {"output_dir", "out"}};
  for (const auto& [key, value] : top.items()) {
    if (value.is_object()) {
      config[key].update(value);
    } else {
      config[key] = value;
    }
  }
  workspace.write("run.json", config.dump());
}

Json self_results(const Finished& finished) {
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return Json::parse(finished.out);
}

std::size_t events_named(const Workspace& workspace, const std::string& name) {
  const std::string lines = workspace.read("out/events.jsonl"), mark = R"("event":")" + name + "\"";
  std::size_t count = 0;
  for (std::size_t at = lines.find(mark); at != std::string::npos; at = lines.find(mark, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("rows that wordings label alike are trained on, and everything is told", "[app][shell][self]") {
  const Workspace workspace;
  write_self_job(workspace, {{"tuning", {{"self_training", {{"rounds", 2}}}}}});
  const Json results = self_results(run_attune(workspace, "train run.json --json --quiet"));
  const Json& rounds = results["self_training"];
  REQUIRE(rounds.size() == 2);
  const std::vector<Json> selected = predictions_in(workspace, "out/selected_rows.jsonl");
  for (std::size_t round = 0; round < 2; ++round) {
    const Json& told = rounds[round];
    CHECK(told["round"] == round + 1);
    CHECK(told["teacher"] == "tuned");
    CHECK(told["unlabelled"] == 40);
    CHECK(told["agreed"] == told["taken"]);
    CHECK(told["taken"] == std::ranges::count_if(selected, [&](const Json& row) { return row["round"] == round + 1; }));
    CHECK(told["validation"]["rows"] == 10);
    CHECK(told["mean_agreement"].get<double>() > 0.5);
  }
  CHECK(rounds[0]["trained_rows"] == 12);
  CHECK(rounds[1]["trained_rows"] == 12 + rounds[0]["taken"].get<int>());
  CHECK(results["train"]["train_samples"] == 2 * (12 + rounds[1]["taken"].get<int>()));
  CHECK(Json::parse(workspace.read("out/self_training_results.json")) == rounds);
  for (const Json& row : selected) CHECK(row["agreement"] == 1.0);

  CHECK(events_named(workspace, "round_begin") == 3);
  CHECK(events_named(workspace, "round_end") == 2);
  CHECK(events_named(workspace, "train_begin") == 3);
  const std::string page = workspace.read("out/report.html");
  CHECK_THAT(page, ContainsSubstring("Self-training") &&
                       ContainsSubstring("2 with the text of a test row, 1 with the text of a validation row"));
  CHECK_THAT(workspace.read("out/README.md"), ContainsSubstring("Self-training: beside them"));
  CHECK_FALSE(fs::exists(workspace.path("out/round-1/checkpoints")));

  SECTION("no row that is scored is learned from") {
    for (const Json& row : selected) CHECK(row["id"].get<std::string>().starts_with("more"));
    CHECK(results["data"]["unlabelled"]["left_out"] == Json{{"test", 2}, {"validation", 1}});
  }
  SECTION("again it is the same to the bit, and it can be verified") {
    self_results(run_attune(workspace, "train run.json --json --quiet --set output_dir=again"));
    CHECK(weights(workspace, "again") == weights(workspace));
    CHECK(workspace.read("again/selected_rows.jsonl") == workspace.read("out/selected_rows.jsonl"));
    CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
    Json manifest = Json::parse(workspace.read("out/run_manifest.json"));
    manifest["fit"]["taught"] = std::string(64, '0');
    workspace.write("out/run_manifest.json", manifest.dump());
    const Finished changed = run_attune(workspace, "verify out --quiet");
    CHECK(changed.exit_code == 9);
    CHECK_THAT(changed.out, ContainsSubstring("takes other rows, or gives them other labels"));
  }
  SECTION("its folder may be overwritten") {
    CHECK(run_attune(workspace,
                     "train run.json --quiet --set overwrite_output_dir=true --set tuning.self_training.rounds=1")
              .exit_code == 0);
    CHECK_FALSE(fs::exists(workspace.path("out/round-2")));
  }
}

TEST_CASE("the untouched base may label first, and a class may be bounded", "[app][shell][self]") {
  const Workspace workspace;
  write_self_job(
      workspace,
      {{"tuning", {{"self_training", {{"start", "untouched"}, {"min_agreement", 0.5}, {"max_per_class", 3}}}}}});
  const Json results = self_results(run_attune(workspace, "train run.json --json --quiet"));
  const Json& round = results["self_training"][0];
  CHECK(round["teacher"] == "untouched");
  CHECK(round["trained_rows"] == 0);
  CHECK(round["agreed"] == 40);
  for (const auto& [label, rows] : round["taken_by_label"].items()) CHECK(rows.get<int>() <= 3);
  CHECK(round["taken"].get<int>() <= 6);
  CHECK(events_named(workspace, "train_begin") == 1);
}

TEST_CASE("what is planned is said before the start", "[app][shell][self]") {
  const Workspace workspace;
  write_self_job(workspace);
  const Finished plan = run_attune(workspace, "train run.json --dry-run --quiet");
  INFO(plan.err);
  CHECK_THAT(plan.out,
             ContainsSubstring("self-training: 40 unlabelled rows of 43 asked in 2 wordings, 1 round, 2 trainings"));
  CHECK_FALSE(fs::exists(workspace.path("out")));
}

TEST_CASE("where wordings agree on nothing the run ends, and says why", "[app][shell][self]") {
  const Workspace workspace;
  write_self_job(workspace, {{"tuning", {{"self_training", {{"min_probability", 1}}}}}});
  const Finished finished = run_attune(workspace, "train run.json --quiet");
  CHECK(finished.exit_code == 4);
  CHECK_THAT(finished.err, ContainsSubstring("more.jsonl: round 1 of self-training takes none of the 40 rows") &&
                               ContainsSubstring("min_probability"));
  CHECK_FALSE(fs::exists(workspace.path("out/model.safetensors")));
}

TEST_CASE("self-training that is interrupted ends with the same bits", "[app][shell][self]") {
  const Workspace workspace;
  write_self_job(
      workspace,
      {{"training",
        {{"save_strategy", "steps"}, {"save_steps", 2}, {"save_total_limit", nullptr}, {"num_train_epochs", 6}}}});
  self_results(run_attune(workspace, "train run.json --json --quiet --set output_dir=whole"));
  const std::string stop_at =
      GENERATE("out/round-1/checkpoints/checkpoint-4", "out/round-1/round_result.json", "out/checkpoints/checkpoint-4");
  INFO(stop_at);
  const pid_t child = start_attune(workspace, "train run.json --quiet");
  const bool has_begun = appear({workspace.path(stop_at)});
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(has_begun);
  const bool had_ended_round = fs::exists(workspace.path("out/round-1/round_result.json"));
  const auto asked_at =
      had_ended_round ? fs::last_write_time(workspace.path("out/round-1/round_result.json")) : fs::file_time_type();
  if (WEXITSTATUS(status) == 143) {
    const Finished named = run_attune(workspace, "train run.json --quiet --resume " + stop_at);
    CHECK(named.exit_code == 2);
    CHECK_THAT(named.err, ContainsSubstring(R"(set it to "auto")"));
    const Finished other =
        run_attune(workspace, "train run.json --quiet --resume auto --set tuning.self_training.min_agreement=0.5");
    CHECK(other.exit_code == 10);
    self_results(run_attune(workspace, "train run.json --json --quiet --resume auto"));
  }
  CHECK(weights(workspace) == weights(workspace, "whole"));
  CHECK(workspace.read("out/selected_rows.jsonl") == workspace.read("whole/selected_rows.jsonl"));
  CHECK(workspace.read("out/self_training_results.json") == workspace.read("whole/self_training_results.json"));
  if (had_ended_round) CHECK(fs::last_write_time(workspace.path("out/round-1/round_result.json")) == asked_at);
}

TEST_CASE("every seed has rounds of its own", "[app][shell][self]") {
  const Workspace workspace;
  write_self_job(workspace, {{"seeds", {1, 2}}});
  const Json results = self_results(run_attune(workspace, "train run.json --json --quiet"));
  REQUIRE(results["seeds"].size() == 2);
  const std::string kept = "out/seed-" + results["kept_seed"].dump();
  CHECK(workspace.read("out/selected_rows.jsonl") == workspace.read(kept + "/selected_rows.jsonl"));
  CHECK(results["self_training"] == Json::parse(workspace.read(kept + "/self_training_results.json")));
  CHECK(fs::exists(workspace.path("out/seed-1/round-1/round_result.json")));
  CHECK(run_attune(workspace, "verify out/seed-2 --quiet").exit_code == 0);
}

TEST_CASE("self-training is a method of comparisons and learning curves", "[app][shell][self]") {
  const Workspace workspace;
  const Json behind_wordings = {{"model.path", kGpt},
                                {"model.task", "text-generation"},
                                {"data.prompts", "prompts.json"},
                                {"data.train_wordings", "*"},
                                {"training.learning_rate", 1e-3}};
  Json with_rounds = behind_wordings;
  with_rounds["data.unlabelled"] = "more.jsonl";
  with_rounds["tuning.self_training"] = {{"min_agreement", 0.5}};
  const Json methods = {{{"name", "words"}, {"kind", "words"}},
                        {{"name", "wordings"}, {"kind", "train"}, {"set", behind_wordings}},
                        {{"name", "rounds"}, {"kind", "train"}, {"set", with_rounds}}};
  write_comparison(workspace, methods, {{"learning_curve", {{"sizes", {2, 4, 8}}, {"methods", methods}}}});
  workspace.write("more.jsonl", topic_rows(20, "more"));
  SECTION("compared") {
    const Json results = self_results(run_attune(workspace, "compare run.json --json --quiet"));
    for (const std::string name : {"wordings", "rounds"}) {
      const Json& method = method_named(results, name);
      REQUIRE(method["predictions"].size() == 3);
      const std::vector<Json> rows =
          predictions_in(workspace, "runs/out/" + method["predictions"][0].get<std::string>());
      REQUIRE(rows.size() == 40);
      CHECK(rows[7]["id"] == "test7");
      CHECK(method["cost"]["per_1000"]["tokens"].get<double>() > 0);
    }
    CHECK(fs::exists(workspace.path("runs/out/methods/rounds/seed-1/selected_rows.jsonl")));
    const auto tokens = [&](const char* name) {
      return method_named(results, name)["cost"]["learning"]["tokens"].get<double>();
    };
    CHECK(tokens("rounds") > 1.5 * tokens("wordings"));                          // of all rounds
    const Json identity = Json::parse(workspace.read("runs/out/compare.json"));  // what --resume and verify hold it to
    for (const char* file : {"more.jsonl", "prompts.json"}) CHECK(identity["files"].contains(file));
    CHECK(run_attune(workspace, "verify runs/out --quiet").exit_code == 0);
    workspace.write("more.jsonl", topic_rows(21, "more"));
    CHECK(run_attune(workspace, "verify runs/out --quiet").exit_code == 9);
  }
  SECTION("by the number of labels") {
    const Json results = self_results(run_attune(workspace, "learning-curve run.json --json --quiet"));
    CHECK(method_named(results, "rounds")["points"].size() == 9);
  }
}
