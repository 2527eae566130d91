// attune prompt: a model asked as it is, from a shell.
#include <cstdint>

#include "app/prompt_job.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_prompt_job;
using Json = nlohmann::ordered_json;

}  // namespace

TEST_CASE("every wording is put to the rows", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  const Finished asked = run_attune(workspace, "prompt run run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json results = Json::parse(asked.out);
  CHECK(results == Json::parse(workspace.read("out/prompt_results.json")));
  CHECK(results["rows"] == 12);
  CHECK(results["split"] == "validation");
  REQUIRE(results["wordings"].size() == 4);
  CHECK(results["computed_tokens"].get<std::int64_t>() < results["tokens"].get<std::int64_t>());
  const Json& first = results["wordings"][0];
  CHECK(first["levels"] == Json{{"case", "as_is"}, {"instruction", "1"}});
  CHECK(first["seeds"].size() == 2);
  // The mean over seeds, and predictions from which the first seed's accuracy follows.
  const double accuracies[] = {first["seeds"][0]["metrics"]["accuracy"], first["seeds"][1]["metrics"]["accuracy"]};
  CHECK(first["metrics"]["accuracy"].get<double>() == Approx((accuracies[0] + accuracies[1]) / 2));
  std::istringstream lines(workspace.read("out/wordings/1.jsonl"));
  std::int64_t right = 0, rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    const Json row = Json::parse(line);
    right += row["label"] == row["gold"] ? 1 : 0;
  }
  CHECK(rows == 12);
  CHECK(static_cast<double>(right) / 12 == Approx(accuracies[0]));
  CHECK(workspace.read("out/report.html").find("Wordings") != std::string::npos);

  SECTION("and again only where that was not done") {
    workspace.write("out/wordings/2.json", "");
    std::filesystem::remove(workspace.path("out/wordings/2.json"));
    const Finished resumed = run_attune(workspace, "prompt run run.json --json --quiet --resume");
    INFO(resumed.err);
    REQUIRE(resumed.exit_code == 0);
    Json again = Json::parse(resumed.out), before = results;
    CHECK(again["wordings"][0]["seconds"] == results["wordings"][0]["seconds"]);  // was read
    for (Json* one : {&again, &before}) (*one)["wordings"][1].erase("seconds");
    CHECK(again == before);
  }
  SECTION("and not after other rows took their place") {
    workspace.write("valid.jsonl", tiny_rows(15));
    const Finished refused = run_attune(workspace, "prompt run run.json --quiet --resume");
    CHECK(refused.exit_code == 10);
    CHECK_THAT(refused.err, ContainsSubstring("other prompts, rows or settings"));
  }
}

TEST_CASE("a row's answer depends neither on other rows nor on other wordings", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  REQUIRE(run_attune(workspace, "prompt run run.json --quiet").exit_code == 0);
  const std::string all = workspace.read("out/wordings/3.jsonl");
  workspace.write("valid.jsonl", tiny_rows(5));
  workspace.write("prompts.json", R"({"instruction": "What is it about?", "input": "Message: {{ text }}\nTopic:"})");
  REQUIRE(run_attune(workspace, "prompt run run.json --quiet --set output_dir=few").exit_code == 0);
  std::istringstream few(workspace.read("few/wordings/1.jsonl")), many(all);
  for (std::string one, other; std::getline(few, one);) {
    REQUIRE(std::getline(many, other));
    const Json a = Json::parse(one), b = Json::parse(other);
    for (const auto& [label, p] : a["scores"].items())
      CHECK(p.get<double>() == Approx(b["scores"][label].get<double>()).margin(1e-5));
  }
}

TEST_CASE("what a model writes is read as a label, or counts as wrong", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("answer": "generation")");
  const Finished asked =
      run_attune(workspace, "prompt run run.json --json --quiet --set generation.max_new_tokens=4 --set seeds=[1]");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json results = Json::parse(asked.out);
  std::istringstream lines(workspace.read("out/wordings/1.jsonl"));
  std::int64_t without = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    CHECK(row["generated"].is_string());
    without += row["label"] == "(no answer)" ? 1 : 0;
  }
  CHECK(results["wordings"][0]["without_answer"] == without);
  const Json& metrics = results["wordings"][0]["metrics"];
  CHECK(metrics["rows"] == results["rows"]);
  CHECK(metrics["accuracy"].is_number());
  CHECK(metrics["loss"].is_null());
  for (const char* of_probabilities : {"log_loss", "brier", "roc_auc"}) CHECK_FALSE(metrics.contains(of_probabilities));
  if (without > 0) CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("generated texts name no label and count as wrong"));
  const Finished verified = run_attune(workspace, "verify out --quiet");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
}

TEST_CASE("stability says what the answers depend on, and is a gate", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"order": ["random", "by_label"]})");
  const Finished asked = run_attune(workspace, "prompt stability run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json results = Json::parse(asked.out);
  REQUIRE(results["variants"].size() == 16);  // 4 wordings, 2 orders, 2 seeds
  double sum = results["shares"]["remainder"].get<double>();
  for (const char* factor : {"case", "instruction", "order", "seed"})
    sum += results["shares"][factor]["share"].get<double>();
  CHECK(sum == Approx(1));
  CHECK(results["test"].contains(results["best"].get<std::string>()));
  CHECK(results["test"].contains(results["steadiest"].get<std::string>()));
  CHECK(results["test"][results["best"].get<std::string>()]["metrics"]["rows"] == 30);
  CHECK(results["gate"]["passed"] == true);
  CHECK(workspace.read("out/junit.xml").find("failures=\"0\"") != std::string::npos);

  const double flip_rate = results["flip_rate"].get<double>();
  REQUIRE(flip_rate > 0);
  const std::string gate = " --set prompting.stability.max_flip_rate=" + std::to_string(flip_rate / 2);
  const Finished failed = run_attune(workspace, "prompt stability run.json --quiet --set output_dir=gated" + gate);
  CHECK(failed.exit_code == 20);
  CHECK_THAT(failed.err, ContainsSubstring("the flip rate is"));
  CHECK(workspace.read("gated/junit.xml").find("failures=\"1\"") != std::string::npos);
}

TEST_CASE("examples by similarity can be tried where the others are not", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"choose": ["balanced", "nearest"]})");
  const Finished asked = run_attune(workspace, "prompt stability run.json --json --quiet --set seeds=[1]");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  CHECK(Json::parse(asked.out)["shares"]["examples"]["means"].contains("nearest"));
}

TEST_CASE("where nothing is drawn one seed is enough", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"choose": ["balanced", "nearest"], "order": ["nearest_last"]},
    "examples": {"k": 2, "choose": "nearest", "order": "nearest_last"}, "optimise": {"budget": 96})");
  const Finished asked = run_attune(workspace, "prompt run run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  CHECK_FALSE(Json::parse(asked.out)["wordings"][0].contains("seeds"));
  const Finished varied = run_attune(workspace, "prompt stability run.json --json --quiet --set output_dir=varied");
  INFO(varied.err);
  REQUIRE(varied.exit_code == 0);
  CHECK(Json::parse(varied.out)["variants"].size() == 16);  // crossed: shares of the variance need all
  const Finished searched = run_attune(workspace, "prompt optimise run.json --json --quiet --set output_dir=searched");
  INFO(searched.err);
  REQUIRE(searched.exit_code == 0);
  CHECK(Json::parse(searched.out)["candidates"] == 12);  // four wordings, balanced under two seeds and nearest
  CHECK(run_attune(workspace, "verify searched --quiet").exit_code == 0);
}

TEST_CASE("every verbalizer is a level of a factor", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  const std::string set = R"({"input": "Message: {{ text }}\nTopic:", "verbalizers": [
    {"name": "names", "label_words": {}}, {"name": "letters", "label_words": {"card": "A", "refund": "B", "address": "C"}}]})";
  workspace.write("prompts.json", set);
  const Finished asked = run_attune(workspace, "prompt stability run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json results = Json::parse(asked.out);
  CHECK(results["variants"].size() == 4);  // two seeds
  CHECK(results["shares"]["verbalizer"]["means"].size() == 2);
  CHECK(results["wordings"][1]["name"] == "default/verbalizer=letters");
  const auto log_p = [&](const char* file) { return Json::parse(workspace.read(file))["answers"]["log_p"]; };
  CHECK(log_p("out/variants/1.json") != log_p("out/variants/3.json"));
  workspace.write("prompts.json", std::string(set).replace(set.find("\"address\""), 9, "\"adress\""));
  const Finished refused = run_attune(workspace, "prompt run run.json --quiet --set output_dir=other");
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err,
             ContainsSubstring("there is no label 'adress' (verbalizers, 'letters'); did you mean 'address'?"));
}

TEST_CASE("variants are not chosen by the test rows", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("split": "test")");
  for (const std::string action : {"stability", "optimise"}) {
    const Finished refused = run_attune(workspace, "prompt " + action + " run.json --quiet");
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring("prompting.split"));
  }
}

TEST_CASE("the best way to ask is searched on few rows first, and scored once on the test rows", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace,
                   R"("stability": {"order": ["random", "by_label"]}, "optimise": {"budget": 96, "reduction": 4})");
  const Finished asked = run_attune(workspace, "prompt optimise run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json results = Json::parse(asked.out);
  CHECK(results["candidates"] == 16);
  REQUIRE(results["rounds"].size() == 2);
  CHECK(results["rounds"][0]["rows"] == 3);
  CHECK(results["rounds"][0]["kept"] == 4);
  CHECK(results["rounds"][1]["rows"] == 12);
  CHECK(results["questions"] == 96);
  for (const Json& round : results["rounds"]) {
    double before = 2;
    for (const Json& one : round["candidates"]) {
      CHECK(one["accuracy"].get<double>() <= before);
      before = one["accuracy"].get<double>();
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {  // those that were kept, in whatever order
    const Json& name = results["rounds"][1]["candidates"][i]["name"];
    bool was_kept = false;
    for (std::size_t j = 0; j < 4; ++j) was_kept = was_kept || results["rounds"][0]["candidates"][j]["name"] == name;
    CHECK(was_kept);
  }
  CHECK(results["chosen"]["name"] == results["rounds"][1]["candidates"][0]["name"]);
  CHECK(results["test"]["metrics"]["rows"] == 30);
  CHECK(workspace.read("out/report.html").find("Round 2") != std::string::npos);
  const Finished poor = run_attune(
      workspace, "prompt optimise run.json --quiet --set output_dir=poor --set prompting.optimise.budget=20");
  CHECK(poor.exit_code == 2);
  CHECK_THAT(poor.err, ContainsSubstring("at least 32 rows"));
}
