// attune prompt stability and optimise where texts are asked for, from a shell.
#include <functional>

#include "app/prompt_job.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::notices;
using attune::testing::run_attune;
using attune::testing::Workspace;
using attune::testing::write_text_job;
using Json = nlohmann::ordered_json;

/// With test rows, and assertions of which one depends on what is written.
void write_study(const Workspace& workspace, const std::string& prompting = "", bool with_answers = true) {
  write_text_job(workspace, prompting, with_answers);
  workspace.write("test.jsonl", notices(6, with_answers, 100));
  workspace.write("prompts.json", R"({
    "instruction": ["Rewrite the notice.", "Say it in our voice."], "input": "Plain: {{ plain }}\nOurs:", "separator": "\n",
    "assertions": [{"name": "no e", "not_matches": "e.*e"}]})");
  Json config = Json::parse(workspace.read("run.json"));
  config["data"]["test"] = "test.jsonl";
  workspace.write("run.json", config.dump());
}

Json study(const Workspace& workspace, const std::string& action, const std::string& settings = "") {
  const Finished asked = run_attune(workspace, "prompt " + action + " run.json --json --quiet" + settings);
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  return Json::parse(asked.out);
}

double share_of_passed(const Json& answers) {
  double passed = 0;
  for (const Json& row : answers["passed"]) passed += row.get<double>();
  return passed / static_cast<double>(answers["passed"].size());
}

void check_study_refused(const Workspace& workspace, const std::string& settings, const std::string& part) {
  for (const std::string action : {"stability", "optimise"}) {
    const Finished refused =
        run_attune(workspace, "prompt " + action + " run.json --quiet --set output_dir=refused" + settings);
    INFO(action << settings);
    CHECK(refused.exit_code != 0);
    CHECK_THAT(refused.err, ContainsSubstring(part));
  }
}

}  // namespace

TEST_CASE("stability says what generated texts depend on", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace);
  const Json results = study(workspace, "stability");
  CHECK(results["metric"] == "rougeL");
  REQUIRE(results["variants"].size() == 4);  // 2 instructions, 2 seeds
  double sum = results["shares"]["remainder"].get<double>();
  for (const char* factor : {"instruction", "seed"}) sum += results["shares"][factor]["share"].get<double>();
  CHECK(sum == Approx(1));
  const Json first = Json::parse(workspace.read("out/variants/1.json"))["answers"];
  CHECK(first["texts"].size() == 8);
  double rouge = 0;
  for (const Json& score : first["scores"]) rouge += score.get<double>() / 8;
  CHECK(first["metrics"]["rougeL"].get<double>() == Approx(rouge));  // of rows alone
  CHECK(results["variants"][0]["metrics"]["rougeL"] == first["metrics"]["rougeL"]);
  CHECK(first["metrics"]["all_assertions"].get<double>() == Approx(share_of_passed(first)));
  CHECK(results["differing_texts"].get<double>() > 0);
  CHECK(results["flip_rate"].is_number());
  CHECK(results["wordings"][0]["row_sd"].is_number());
  for (const Json& row : results["fragile"])
    CHECK(row["lowest"]["score"].get<double>() < row["highest"]["score"].get<double>());

  const Json& tested = results["test"][results["best"].get<std::string>()];
  CHECK(tested["metrics"]["rows"] == 6);
  CHECK(tested["intervals"]["rougeL"].is_array());
  CHECK(tested["intervals"]["all_assertions"].is_array());
  CHECK(tested["assertions"][0]["name"] == "no e");
  CHECK(tested["samples"]["texts"] == 6);
  const std::string page = workspace.read("out/report.html");
  for (const char* part : {"ROUGE-L", "different texts", "change of a row", "The test rows had no part in the choice"})
    CHECK(page.find(part) != std::string::npos);
  const Finished told = run_attune(workspace, "prompt stability run.json --quiet --resume");
  INFO(told.err);
  for (const char* part : {"of the variance of rougeL", "row sd", "how often two variants write a row different texts"})
    CHECK_THAT(told.out, ContainsSubstring(part));
}

TEST_CASE("a row flips where one of two texts keeps all assertions", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace);
  const Json results = study(workspace, "stability", " --set prompting.metric=all_assertions");
  CHECK(results["metric"] == "all_assertions");
  const double flip_rate = results["flip_rate"].get<double>();
  REQUIRE(flip_rate > 0);
  const std::string gate =
      " --set prompting.metric=all_assertions --set output_dir=gated --set prompting.stability.max_flip_rate=";
  const Finished failed =
      run_attune(workspace, "prompt stability run.json --quiet" + gate + std::to_string(flip_rate / 2));
  CHECK(failed.exit_code == 20);
  CHECK_THAT(failed.err, ContainsSubstring("different verdicts"));
  CHECK(workspace.read("gated/junit.xml").find("failures=\"1\"") != std::string::npos);
}

TEST_CASE("the best way to have texts written is searched, and scored once on the test rows", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace, R"("optimise": {"budget": 24, "reduction": 2})");
  const Json results = study(workspace, "optimise");
  CHECK(results["metric"] == "rougeL");
  CHECK(results["candidates"] == 4);
  REQUIRE(results["rounds"].size() == 2);
  CHECK(results["rounds"][0]["rows"] == 3);
  CHECK(results["rounds"][1]["rows"] == 6);
  for (const Json& round : results["rounds"]) {
    double before = 2;
    for (const Json& one : round["candidates"]) {
      CHECK_FALSE(one.contains("loss"));
      CHECK(one["rougeL"].get<double>() <= before);
      before = one["rougeL"].get<double>();
    }
  }
  CHECK(results["chosen"]["rougeL"] == results["rounds"][1]["candidates"][0]["rougeL"]);
  CHECK(results["test"]["metrics"]["rows"] == 6);
  CHECK(results["test"]["assertions"].size() == 1);
  CHECK(workspace.read("out/report.html").find("ROUGE-L") != std::string::npos);
  SECTION("as it is, too, where it goes on") {
    std::filesystem::remove(workspace.path("out/optimise_results.json"));
    std::filesystem::remove(workspace.path("out/answers/2.json"));
    CHECK(study(workspace, "optimise", " --resume") == results);
  }
}

TEST_CASE("texts without any of their own are compared by assertions", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace, "", /*with_answers=*/false);
  const std::string bare = " --set prompting.examples.k=0";
  const Json results = study(workspace, "optimise", bare);
  CHECK(results["metric"] == "all_assertions");
  CHECK_FALSE(results["test"]["metrics"].contains("rougeL"));
  CHECK(results["test"]["intervals"]["all_assertions"].is_array());
  CHECK(study(workspace, "stability", bare + " --set output_dir=stable")["metric"] == "all_assertions");
  check_study_refused(workspace, bare + " --set prompting.metric=bleu",
                      "valid.jsonl:1: the row has no text of its own");
}

TEST_CASE("on how many rows metrics of texts rest is said of studies too", "[app][shell]") {
  const std::string action = GENERATE("stability", "optimise");
  const Workspace workspace;
  write_study(workspace, R"("metric": "all_assertions", "optimise": {"budget": 16})");
  workspace.write("valid.jsonl", notices(2) + notices(2, /*with_answers=*/false, /*first=*/2));
  workspace.write("test.jsonl", notices(1, /*with_answers=*/true, 100) + notices(2, /*with_answers=*/false, 101));
  const Json results = study(workspace, action);
  CHECK(results["rows"] == 4);
  CHECK(results["scored_rows"] == 2);
  const Json& tested = action == "optimise" ? results["test"] : results["test"].front();
  CHECK(tested["metrics"]["rows"] == 3);
  CHECK(tested["metrics"]["generated"] == 1);
  CHECK(tested["metrics"]["rougeL"].is_number());
  const std::string page = workspace.read("out/report.html");
  CHECK_THAT(page, ContainsSubstring("4 validation rows · metrics rest on 2 of 4 rows, assertions on all of them<"));
  CHECK_THAT(page, ContainsSubstring("no part in the choice; metrics rest on 1 of 3 rows, assertions on all of them."));
  const Finished told = run_attune(workspace, "prompt " + action + " run.json --quiet --resume");
  INFO(told.err);
  CHECK_THAT(told.out,
             ContainsSubstring("4 of the validation split; metrics rest on 2 of 4 rows, assertions on all of them\n"));
  CHECK_THAT(told.out, ContainsSubstring("]; metrics rest on 1 of 3 rows, assertions on all of them\n"));
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
}

TEST_CASE("where metrics of texts rest on all rows nothing is said of it", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace);
  const Json results = study(workspace, "stability");
  CHECK(results["scored_rows"] == results["rows"]);
  CHECK(workspace.read("out/report.html").find("metrics rest on") == std::string::npos);
}

TEST_CASE("what texts cannot be compared by is refused", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace);
  check_study_refused(workspace, " --set 'prompting.stability.label_words=[\"all\",\"first\"]'",
                      "texts have no label words");
  check_study_refused(workspace, " --set prompting.split=test", "prompting.split");
  workspace.write("prompts.json", R"({"instruction": ["Rewrite.", "Say it."], "input": "Plain: {{ plain }}\nOurs:"})");
  check_study_refused(workspace, " --set prompting.metric=all_assertions", "no assertions that texts could keep");
  check_study_refused(workspace, " --set prompting.stability.max_flip_rate=0.5", "prompting.stability.max_flip_rate");
}

TEST_CASE("tokens that are drawn are a factor of their own", "[app][shell]") {
  const Workspace workspace;
  write_study(workspace);
  const Json results = study(workspace, "stability", " --set prompting.examples.k=0 --set generation.do_sample=true");
  CHECK(results["variants"].size() == 4);
  CHECK(results["shares"].contains("seed"));
  const auto texts = [&](const char* file) { return Json::parse(workspace.read(file))["answers"]["texts"]; };
  CHECK(texts("out/variants/1.json") != texts("out/variants/2.json"));
}

TEST_CASE("studies of texts are verified", "[app][shell][verify]") {
  const std::string action = GENERATE("stability", "optimise");
  const Workspace workspace;
  write_study(workspace);
  study(workspace, action);
  const Finished holds = run_attune(workspace, "verify out --quiet");
  INFO(action << holds.out << holds.err);
  CHECK(holds.exit_code == 0);
  const std::string folder = action == "stability" ? "out/variants" : "out/answers";
  const std::string file = GENERATE_COPY(folder + "/1.json", std::string("out/test_answers/1.json"));
  if (!std::filesystem::exists(workspace.path(file))) return;  // (of the second wording alone)
  Json kept = Json::parse(workspace.read(file));
  SECTION("another text") {
    Json& text = kept["answers"]["texts"][0];
    text = text.get<std::string>() + " been here: e e";
    workspace.write(file, kept.dump());
    const Finished changed = run_attune(workspace, "verify out --json --quiet");
    CHECK(changed.exit_code == 9);
    CHECK_THAT(Json::parse(changed.out)["differences"].dump(), ContainsSubstring("another text is written now"));
  }
  SECTION("another score") {
    kept["answers"]["metrics"]["rougeL"] = 0.987;
    workspace.write(file, kept.dump());
    const Finished changed = run_attune(workspace, "verify out --json --quiet");
    CHECK(changed.exit_code == 9);
    CHECK_THAT(Json::parse(changed.out)["differences"].dump(), ContainsSubstring("rougeL: recorded 0.987"));
  }
}
