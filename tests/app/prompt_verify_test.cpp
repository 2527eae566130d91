// attune verify on studies of prompts: what was kept gives the results, what is asked again gives what was kept.
#include <functional>

#include "app/prompt_job.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_prompt_job;
using Json = nlohmann::ordered_json;

void edit_json(const Workspace& workspace, const std::string& file, const std::function<void(Json&)>& edit) {
  Json content = Json::parse(workspace.read(file));
  edit(content);
  workspace.write(file, content.dump());
}

Finished verify_out(const Workspace& workspace, const std::string& more = "") {
  return run_attune(workspace, "verify out --json --quiet" + more);
}

/// The study no longer holds, and `part` says why.
void check_changed(const Workspace& workspace, const std::string& part) {
  const Finished found = verify_out(workspace);
  INFO(found.out << found.err);
  CHECK(found.exit_code == 9);
  const Json result = Json::parse(found.out);
  CHECK(result["verdict"] == "changed");
  CHECK_THAT(result["differences"].dump(), ContainsSubstring(part));
}

void ask_and_verify(const Workspace& workspace, const std::string& action) {
  const Finished asked = run_attune(workspace, "prompt " + action + " run.json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Finished found = verify_out(workspace);
  INFO(found.out << found.err);
  REQUIRE(found.exit_code == 0);
  CHECK(Json::parse(found.out)["study"] == "prompt " + action);
  CHECK(Json::parse(found.out)["differences"].empty());
  CHECK_THAT(Json::parse(found.out)["not_checked"].dump(), ContainsSubstring("report.html, which was made from the results"));
}

/// Another label for a row of kept answers.
void turn_label(Json& answers, std::size_t row) {
  answers["labels"][row] = (answers["labels"][row].get<int>() + 1) % 3;
}

}  // namespace

TEST_CASE("answers to wordings are verified", "[app][shell][verify]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  ask_and_verify(workspace, "run");
  const Finished few = verify_out(workspace, " --steps 3");
  CHECK(few.exit_code == 0);
  CHECK_THAT(few.out, ContainsSubstring("8 variants: metrics follow from the labels that were kept, 24 rows asked again"));

  SECTION("a metric that was written over") {
    edit_json(workspace, "out/prompt_results.json", [](Json& results) { results["wordings"][1]["metrics"]["accuracy"] = 0.99; });
    check_changed(workspace, "accuracy: recorded 0.99");
  }
  SECTION("a label that was written over") {
    edit_json(workspace, "out/wordings/2.json", [](Json& kept) { turn_label(kept["answers"]["asked"][1], 2); });
    check_changed(workspace, "recorded label");
  }
  SECTION("a prediction that was written over") {
    std::string lines = workspace.read("out/wordings/1.jsonl");
    const std::size_t at = lines.find(R"("label": ")") == std::string::npos ? lines.find(R"("label":")") : lines.find(R"("label": ")");
    REQUIRE(at != std::string::npos);
    lines.insert(lines.find(':', at) + 2, "x");
    workspace.write("out/wordings/1.jsonl", lines);
    check_changed(workspace, "line 1 of its predictions");
  }
  SECTION("answers that are gone") {
    std::filesystem::remove(workspace.path("out/wordings/3.json"));
    check_changed(workspace, "wordings/3.json");
  }
  SECTION("rows that have changed") {
    workspace.write("valid.jsonl", tiny_rows(11) + R"({"text": "my card is red", "label": "card"})" + "\n");
    check_changed(workspace, "asked.files.valid.jsonl");
  }
  SECTION("rows that are gone") {
    std::filesystem::remove(workspace.path("valid.jsonl"));
    check_changed(workspace, "can no longer be gone over");
  }
  SECTION("results that are damaged") {
    workspace.write("out/prompt_results.json", R"({"rows": 12})");
    const Finished refused = verify_out(workspace);
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring("damaged"));
  }
}

TEST_CASE("pages that are not there are not named as unchecked", "[app][shell][verify]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  ask_and_verify(workspace, "run");
  std::filesystem::remove(workspace.path("out/report.html"));
  CHECK(verify_out(workspace).out.find("report.html") == std::string::npos);
}

TEST_CASE("stability is verified down to its shares and its test rows", "[app][shell][verify]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"order": ["random", "by_label"]})");
  ask_and_verify(workspace, "stability");
  SECTION("a share that was written over") {
    edit_json(workspace, "out/stability_results.json", [](Json& results) { results["shares"]["case"]["share"] = 0.5; });
    check_changed(workspace, "shares.case.share: recorded 0.5");
  }
  SECTION("a score of the test rows that was written over") {
    edit_json(workspace, "out/stability_results.json", [](Json& results) { results["test"].front()["metrics"]["accuracy"] = 1.0; });
    check_changed(workspace, "accuracy: recorded 1.0");
  }
  SECTION("answers of a variant that were written over") {
    edit_json(workspace, "out/variants/5.json", [](Json& kept) { turn_label(kept["answers"], 0); });
    check_changed(workspace, "recorded label");
  }
}

TEST_CASE("a search is verified round by round", "[app][shell][verify]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"order": ["random", "by_label"]}, "optimise": {"budget": 96, "reduction": 4})");
  ask_and_verify(workspace, "optimise");
  SECTION("another choice that was written over") {
    edit_json(workspace, "out/optimise_results.json", [](Json& results) { results["chosen"]["name"] = "another"; });
    check_changed(workspace, "chosen.name");
  }
  SECTION("answers that were written over") {
    edit_json(workspace, "out/answers/4.json", [](Json& kept) { turn_label(kept["answers"], 1); });
    check_changed(workspace, "recorded label");
  }
}

TEST_CASE("a folder without a run or a study cannot be verified", "[app][shell][verify]") {
  const Workspace workspace;
  workspace.write("out/notes.txt", "");
  const Finished refused = verify_out(workspace);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("or of a study"));
}
