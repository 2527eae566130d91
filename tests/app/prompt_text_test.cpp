// attune prompt run where texts are asked for, and a model that is tuned behind a wording, from a shell.
#include <csignal>
#include <cstdint>
#include <sstream>

#include "app/prompt_job.h"
#include "catch.h"

namespace {

using attune::testing::appear;
using attune::testing::Finished;
using attune::testing::notices;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_text_job;
using Json = nlohmann::ordered_json;

}  // namespace

TEST_CASE("texts are scored against the rows' own and held to assertions", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace);
  const Finished asked = run_attune(workspace, "prompt run run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json results = Json::parse(asked.out);
  REQUIRE(results["wordings"].size() == 2);
  CHECK(results["majority"].is_null());
  const Json& first = results["wordings"][0];
  CHECK(first["seeds"].size() == 2);
  CHECK(first["metrics"]["rows"] == 8);
  CHECK(first["metrics"]["generated"] == 8);
  CHECK_FALSE(first["metrics"].contains("loss"));
  const double rouges[] = {first["seeds"][0]["metrics"]["rougeL"], first["seeds"][1]["metrics"]["rougeL"]};
  CHECK(first["metrics"]["rougeL"].get<double>() == Approx((rouges[0] + rouges[1]) / 2));
  CHECK(first["intervals"]["rougeL"][0].get<double>() <= first["metrics"]["rougeL"].get<double>());
  CHECK(first["intervals"]["rougeL"][1].get<double>() >= first["metrics"]["rougeL"].get<double>());
  CHECK(first["samples"]["texts"] == 8);
  std::istringstream lines(workspace.read("out/wordings/1.jsonl"));
  std::int64_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    const Json row = Json::parse(line);
    CHECK(row["reference"].get<std::string>().starts_with("Good news"));
    CHECK(row["failed"].back()["name"] == "never");
  }
  CHECK(rows == 8);

  REQUIRE(first["assertions"].size() == 2);
  const Json& never = first["assertions"][1];
  CHECK(never["rate"] == 0);
  CHECK(never["failed"] == 16);  // under both seeds
  CHECK(never["interval"][1].get<double>() == Approx(0.3244).margin(1e-3));  // Wilson, of 8 rows
  CHECK(never["first"][0]["why"] == "'zzqx' does not occur");
  CHECK(first["all_assertions"] == 0);
  CHECK(results["gate"]["passed"] == true);
  CHECK(workspace.read("out/junit.xml").find("tests=\"4\" failures=\"0\"") != std::string::npos);
  const std::string page = workspace.read("out/report.html");
  CHECK(page.find("does not occur") != std::string::npos);
  CHECK(page.find("Good news") != std::string::npos);

  SECTION("and again only where that was not done") {
    std::filesystem::remove(workspace.path("out/wordings/2.json"));
    const Finished resumed = run_attune(workspace, "prompt run run.json --json --quiet --resume");
    INFO(resumed.err);
    REQUIRE(resumed.exit_code == 0);
    Json again = Json::parse(resumed.out), before = results;
    for (Json* one : {&again, &before}) (*one)["wordings"][1].erase("seconds");
    CHECK(again == before);
  }
}

TEST_CASE("texts are verified", "[app][shell][verify]") {
  const Workspace workspace;
  write_text_job(workspace);
  REQUIRE(run_attune(workspace, "prompt run run.json --quiet").exit_code == 0);
  const Finished holds = run_attune(workspace, "verify out --quiet");
  INFO(holds.out << holds.err);
  CHECK(holds.exit_code == 0);
  CHECK_THAT(holds.out, ContainsSubstring("scores and assertions follow from the texts that were kept"));
  Json kept = Json::parse(workspace.read("out/wordings/1.json"));
  Json& text = kept["answers"]["asked"][0]["texts"][3];
  text = text.get<std::string>() + " zzqx";
  workspace.write("out/wordings/1.json", kept.dump());
  const Finished changed = run_attune(workspace, "verify out --json --quiet");
  CHECK(changed.exit_code == 9);
  for (const char* part : {"another text is written now", "assertions", "lines of its predictions"})
    CHECK_THAT(Json::parse(changed.out)["differences"].dump(), ContainsSubstring(part));
}

TEST_CASE("an assertion that too few texts keep fails the gate", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace, R"("min_assertion_rate": 0.5, "examples": {"k": 0})");
  const Finished failed = run_attune(workspace, "prompt run run.json --quiet");
  CHECK(failed.exit_code == 20);
  CHECK_THAT(failed.err, ContainsSubstring("assertion 'default/instruction=1: never': 0.0000 of the texts pass"));
  CHECK(workspace.read("out/junit.xml").find("failures=\"2\"") != std::string::npos);
  CHECK_THAT(failed.out, ContainsSubstring("'zzqx' does not occur"));
}

TEST_CASE("rows without texts of their own are only held to assertions", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace, "", /*with_answers=*/false);
  const Finished asked = run_attune(workspace, "prompt run run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json first = Json::parse(asked.out)["wordings"][0];
  CHECK_FALSE(first.contains("metrics"));
  CHECK(first["assertions"][1]["failed"] == 16);
  CHECK_FALSE(workspace.read("out/report.html").empty());
  workspace.write("prompts.json", R"({"input": "Plain: {{ plain }}\nOurs:"})");
  const Finished refused = run_attune(workspace, "prompt run run.json --quiet --set output_dir=other");
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("nothing would be scored"));
}

TEST_CASE("on how many rows scores of texts rest is said", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace);
  const Finished all = run_attune(workspace, "prompt run run.json --quiet --set output_dir=all");
  INFO(all.err);
  REQUIRE(all.exit_code == 0);
  CHECK(all.out.find("metrics rest on") == std::string::npos);
  CHECK(workspace.read("all/report.html").find("metrics rest on") == std::string::npos);
  workspace.write("valid.jsonl", notices(1) + notices(2, /*with_answers=*/false, /*first=*/1));
  const Finished some = run_attune(workspace, "prompt run run.json --quiet");
  INFO(some.err);
  REQUIRE(some.exit_code == 0);
  CHECK_THAT(some.out, ContainsSubstring("3 of the validation split; metrics rest on 1 of 3 rows"));
  CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("3 validation rows · metrics rest on 1 of 3 rows"));
  CHECK(Json::parse(workspace.read("out/prompt_results.json"))["scored_rows"] == 1);
}

TEST_CASE("assertions are about texts", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace);
  const Finished labels = run_attune(workspace, "prompt run run.json --quiet --set prompting.answer=likelihood");
  CHECK(labels.exit_code == 2);
  CHECK_THAT(labels.err, ContainsSubstring("set prompting.answer to text"));
  workspace.write("prompts.json", R"({"input": "Plain: {{ plain }}\nOurs:"})");
  const Finished bare = run_attune(workspace, "prompt run run.json --quiet --set prompting.min_assertion_rate=0.5");
  CHECK(bare.exit_code == 2);
  CHECK_THAT(bare.err, ContainsSubstring("no assertions"));
  workspace.write("prompts.json",
                  R"({"input": "Plain: {{ plain }}\nOurs:", "verbalizers": {"name": "v", "label_words": {"x": "y"}}})");
  const Finished verbalized = run_attune(workspace, "prompt run run.json --quiet");
  CHECK(verbalized.exit_code == 2);
  CHECK_THAT(verbalized.err, ContainsSubstring("verbalizers stand for labels"));
}

TEST_CASE("a model tuned behind a wording is asked with the scores of its last evaluation", "[app][shell]") {
  const Workspace workspace;
  workspace.write("train.jsonl", tiny_rows(48));
  workspace.write("valid.jsonl", tiny_rows(12));
  workspace.write("prompts.json",
                  R"({"input": "Message: {{ text }}\nTopic:", "label_words": {"card": ["card", "bank card"]},
    "verbalizers": [{"name": "names", "label_words": {}}, {"name": "letters", "label_words": {"refund": "B", "address": "C"}}]})");
  const Json config = {
      {"model", {{"path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"}, {"task", "text-generation"}}},
      {"data",
       {{"train", "train.jsonl"},
        {"validation", "valid.jsonl"},
        {"prompts", "prompts.json"},
        {"wording", "default/verbalizer=letters"}}},
      {"training", {{"num_train_epochs", 2}, {"per_device_train_batch_size", 8}, {"learning_rate", 1e-3}}},
      {"seeds", {1}},
      {"threads", 1},
      {"output_dir", "out"}};
  workspace.write("run.json", config.dump());
  const Finished trained = run_attune(workspace, "train run.json --json --quiet");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json results = Json::parse(trained.out);
  CHECK(results["majority"]["validation"].is_number());
  const Json& metrics = results["validation"]["metrics"];
  const Finished asked = run_attune(workspace, "prompt run run.json --json --quiet --set model.path=out --set output_dir=asked");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  REQUIRE(Json::parse(asked.out)["wordings"][1]["name"] == "default/verbalizer=letters");
  const Json found = Json::parse(asked.out)["wordings"][1]["metrics"];
  CHECK(found["accuracy"] == metrics["accuracy"]);
  CHECK(found["loss"].get<double>() == Approx(metrics["loss"].get<double>()).margin(1e-4));
  // What words and rows share goes through the network once in evaluation too.
  const Json wording = Json::parse(asked.out)["wordings"][1];
  std::istringstream events(workspace.read("out/events.jsonl"));
  int evaluations = 0;
  for (std::string line; std::getline(events, line);) {
    const Json event = Json::parse(line);
    if (event["event"] != "cost" || event["work"] != "evaluation") continue;
    ++evaluations;
    CHECK(event["tokens"] == wording["computed_tokens"]);
    CHECK(event["tokens"] < wording["tokens"]);
  }
  CHECK(evaluations > 0);

  const Finished before = run_attune(workspace, "prompt run run.json --json --quiet --set output_dir=before");
  CHECK(Json::parse(before.out)["wordings"][1]["metrics"]["loss"].get<double>() > found["loss"].get<double>());

  const Finished predicted = run_attune(workspace, "predict out valid.jsonl");
  CHECK(predicted.exit_code == 2);
  CHECK_THAT(predicted.err, ContainsSubstring("attune prompt run"));
}

TEST_CASE("texts that a signal kept from being written are written when the study goes on", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace);
  workspace.write("valid.jsonl", notices(400));
  const std::string command = "prompt run run.json --quiet --json --set output_dir=";
  const pid_t child = start_attune(workspace, command + "out 2>stderr.txt");
  CHECK(appear({workspace.path("out/wordings/1.json")}));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 143);
  CHECK_FALSE(std::filesystem::exists(workspace.path("out/wordings/2.json")));
  const std::string kept = workspace.read("out/wordings/1.json"), said = workspace.read("stderr.txt"),
                    before = "go on with: attune ";
  REQUIRE(said.find(before) != std::string::npos);
  std::string resuming = said.substr(said.find(before) + before.size());
  resuming.pop_back();

  const Finished resumed = run_attune(workspace, resuming + " --quiet --json"),
                 whole = run_attune(workspace, command + "whole");
  INFO(resuming << "\n" << resumed.err << whole.err);
  REQUIRE(resumed.exit_code == 0);
  REQUIRE(whole.exit_code == 0);
  CHECK(workspace.read("out/wordings/1.json") == kept);
  for (const std::string lines : {"1.jsonl", "2.jsonl"}) {
    CHECK(workspace.read("out/wordings/" + lines) == workspace.read("whole/wordings/" + lines));
  }
  Json results = Json::parse(resumed.out), expected = Json::parse(whole.out);
  for (Json* each : {&results, &expected}) {
    each->erase("output_dir");
    for (Json& wording : (*each)["wordings"]) wording.erase("seconds");
  }
  CHECK(results == expected);
}
