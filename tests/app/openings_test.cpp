// Every verb that scores test rows counts that it opened them.
#include "app/program.h"
#include "app/prompt_job.h"
#include "catch.h"

using namespace attune::testing;
using Json = nlohmann::ordered_json;

namespace {

Finished run_well(const Workspace& workspace, const std::string& arguments) {
  Finished run = run_attune(workspace, arguments);
  INFO(arguments << "\n" << run.err);
  REQUIRE(run.exit_code == 0);
  return run;
}

/// How often the test rows had been opened before, as the results say.
int opened_before(const Workspace& workspace, const std::string& arguments) {
  return Json::parse(run_well(workspace, arguments + " --json --quiet").out)["opening"]["before"].get<int>();
}

std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("training, sweeps and evaluation count openings of test rows", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "head"})");
  workspace.write("test.jsonl", tiny_rows(24));
  const std::string job = "train run.json --set data.test=test.jsonl --set output_dir=runs/";
  CHECK(opened_before(workspace, job + "a") == 0);
  CHECK(opened_before(workspace, job + "b --set seeds=[1,2]") == 1);  // two seeds are one opening
  CHECK(opened_before(workspace,
                      "sweep run.json --vary training.learning_rate=1e-4,1e-3 --set data.test=test.jsonl --set "
                      "output_dir=runs/c") == 2);
  CHECK(opened_before(workspace, "evaluate runs/a") == 3);
  CHECK(opened_before(workspace, "evaluate runs/b/seed-1") == 4);
  CHECK(opened_before(workspace, "evaluate runs/a test.jsonl") == 5);
  const std::string ledger = workspace.read("runs/test_openings.jsonl");
  CHECK(line_count(ledger) == 6);
  CHECK_THAT(ledger, ContainsSubstring("attune sweep"));

  for (const char* run : {"runs/a", "runs/b", "runs/c"}) {  // what was opened before is no part of what a run computed
    CHECK_FALSE(Json::parse(workspace.read(std::string(run) + "/run_manifest.json"))["files"].contains("opening.json"));
  }

  // What is no test row, or no opening, does not count.
  for (const std::string other :
       {"evaluate runs/a valid.jsonl", "evaluate runs/a train.jsonl", "train run.json --set output_dir=runs/d"}) {
    CHECK_FALSE(Json::parse(run_well(workspace, other + " --json --quiet").out).contains("opening"));
  }
  run_well(workspace, "verify runs/a --quiet");
  run_well(workspace, "verify runs/c --quiet");
  run_well(workspace, job + "a --resume --quiet");
  CHECK(workspace.read("runs/test_openings.jsonl") == ledger);
  run_well(workspace, "verify runs/a --quiet");

  CHECK_THAT(run_well(workspace, job + "e").out, ContainsSubstring("these test rows had been opened 6 times before"));
  CHECK_THAT(workspace.read("runs/e/report.html"), ContainsSubstring("<b>6 times</b> before"));
  CHECK_THAT(run_well(workspace, "evaluate runs/e").out,
             ContainsSubstring("these test rows had been opened 7 times before"));
}

TEST_CASE("test rows that are drawn count as the draw that they are", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "head"})");
  const std::string job = "train run.json --set data.test_size=0.25 --set output_dir=runs/";
  CHECK(opened_before(workspace, job + "a") == 0);
  CHECK(opened_before(workspace, job + "b --set training.learning_rate=1e-3") == 1);
  CHECK(opened_before(workspace, job + "c --set data.split_seed=7") == 0);
}

TEST_CASE("a count that cannot be kept is a warning", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "head"})");
  workspace.write("test.jsonl", tiny_rows(24));
  std::filesystem::create_directories(workspace.path("test_openings.jsonl"));
  const Finished told = run_well(workspace, "train run.json --set data.test=test.jsonl");
  CHECK_THAT(told.err, ContainsSubstring("this opening of the test rows cannot be noted"));
  CHECK_THAT(told.out, ContainsSubstring("how often these test rows had been opened before is not known"));
  CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("could not be noted there"));
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
}

TEST_CASE("studies of prompts count openings of test rows", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  const std::string run = "prompt run run.json --set output_dir=runs/";
  CHECK_FALSE(Json::parse(run_well(workspace, run + "a --json --quiet").out).contains("opening"));
  CHECK(opened_before(workspace, run + "b --set prompting.split=test") == 0);
  CHECK(opened_before(workspace, run + "b --set prompting.split=test --resume") == 0);
  CHECK(opened_before(workspace, "prompt optimise run.json --set output_dir=runs/c") == 1);
  CHECK(opened_before(workspace, "prompt stability run.json --set output_dir=runs/d") == 2);
  CHECK(line_count(workspace.read("runs/test_openings.jsonl")) == 3);
  CHECK_THAT(workspace.read("runs/d/report.html"), ContainsSubstring("<b>2 times</b> before"));
  CHECK_THAT(workspace.read("runs/b/report.html"), ContainsSubstring("had not been opened before"));
  run_well(workspace, "verify runs/b --quiet");
}
