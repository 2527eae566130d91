// No prompt holds an example with the text of a row that is held out, and texts that two splits share are told.
#include "app/prompt_job.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_prompt_job;
using Json = nlohmann::ordered_json;

std::string leak_row(const std::string& text, const std::string& label) {
  return Json{{"text", text}, {"label", label}}.dump() + "\n";
}

/// Tokens of all prompts and answers, which say whether examples stand in them.
std::int64_t tokens_of(const Workspace& workspace, const std::string& settings) {
  const Finished asked = run_attune(workspace, "prompt run run.json --quiet --json --set overwrite_output_dir=true --set seeds=[1] " + settings);
  INFO(settings << "\n" << asked.err);
  REQUIRE(asked.exit_code == 0);
  return Json::parse(asked.out)["tokens"].get<std::int64_t>();
}

/// All of a split's rows planted among the training rows, in another case and with other blanks.
void plant_rows(const Workspace& workspace, const std::string& more = "") {
  workspace.write("valid.jsonl", leak_row("my card is lost", "card") + leak_row("where is my refund", "refund"));
  workspace.write("test.jsonl", leak_row("change my address", "address") + leak_row("my card is gone", "card"));
  workspace.write("train.jsonl", leak_row("My Card is lost", "card") + leak_row(" where is  my refund ", "refund") + leak_row("CHANGE my address\n", "address") +
                                     leak_row("my card is gone", "refund") + more);
}

}  // namespace

TEST_CASE("no text of a held-out row becomes an example, whichever split is asked", "[app][shell][leaks]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  const std::string choose = GENERATE("random", "balanced", "nearest");
  const std::string split = GENERATE("validation", "test");
  const std::string settings = "--set prompting.split=" + split + " --set prompting.examples.choose=" + choose;
  plant_rows(workspace);
  const std::int64_t without = tokens_of(workspace, settings + " --set prompting.examples.k=0");
  CHECK(tokens_of(workspace, settings) == without);
  plant_rows(workspace, leak_row("a text of its own", "card"));
  CHECK(tokens_of(workspace, settings) > without);
}

TEST_CASE("texts that two splits share are found and told", "[app][shell][leaks]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  plant_rows(workspace, leak_row("a text of its own", "card"));
  const Finished asked = run_attune(workspace, "prompt run run.json --json");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  CHECK_THAT(asked.err, ContainsSubstring("2 rows of validation have a text that occurs in train"));
  CHECK_THAT(asked.err, ContainsSubstring("2 rows of test have a text that occurs in train, 1 of them with another label"));
  const Json found = Json::parse(asked.out)["duplicates"];
  REQUIRE(found.size() == 2);
  CHECK(found[0]["between"] == Json{"train", "validation"});
  CHECK(found[1]["other_label"] == 1);
  CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("2 texts of test also in train: never shown as an example."));

  SECTION("and nothing is told where there are none") {
    workspace.write("train.jsonl", leak_row("a text of its own", "card") + leak_row("another", "refund") + leak_row("and another", "address"));
    const Finished clean = run_attune(workspace, "prompt run run.json --json --set output_dir=clean");
    CHECK_FALSE(Json::parse(clean.out).contains("duplicates"));
    CHECK(clean.err.find("occurs in") == std::string::npos);
  }
}

TEST_CASE("what a study chooses does not depend on the labels of the test rows", "[app][shell][leaks]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"order": ["random", "by_label"]})");
  const auto chosen = [&](const std::string& action) {
    const Finished asked = run_attune(workspace, "prompt " + action + " run.json --quiet --json --set overwrite_output_dir=true");
    INFO(asked.err);
    REQUIRE(asked.exit_code == 0);
    Json results = Json::parse(asked.out);
    results.erase("test");
    results.erase("duplicates");
    results.erase("opening");  // names the test rows by their content
    return results;
  };
  const Json steady = chosen("stability"), searched = chosen("optimise");
  std::string turned = tiny_rows(30);
  for (std::size_t at = 0; (at = turned.find(R"("label": "card")", at)) != std::string::npos; ++at) turned.replace(at, 15, R"("label": "refund")");
  workspace.write("test.jsonl", turned);
  CHECK(chosen("stability") == steady);
  CHECK(chosen("optimise") == searched);
}
