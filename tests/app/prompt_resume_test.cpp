// Studies of prompts that a signal stops: what was answered is kept, and the end is that of a study that nothing stopped.
#include <csignal>
#include <map>

#include "app/prompt_job.h"
#include "catch.h"

namespace {

using attune::testing::appear;
using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_prompt_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Study {
  std::string action, answers, results;
};

const Study kRun{"run", "wordings", "prompt_results.json"}, kStability{"stability", "variants", "stability_results.json"},
    kOptimise{"optimise", "answers", "optimise_results.json"};

/// Results without what two runs of the same differ in.
Json without_times(Json results) {
  for (const char* own : {"output_dir", "opening"}) results.erase(own);  // (the second of two runs finds an opening more)
  if (!results.contains("wordings")) return results;
  for (Json& wording : results["wordings"]) wording.erase("seconds");
  return results;
}

/// Numbers agree to so many digits: other answers were computed beside them.
void check_near(const Json& found, const Json& expected, const std::string& path) {
  INFO(path);
  if (found.is_number_float() && expected.is_number()) {
    CHECK(found.get<double>() == Approx(expected.get<double>()).margin(1e-5));
  } else if (found.is_object()) {
    REQUIRE(expected.is_object());
    CHECK(found.size() == expected.size());
    for (const auto& [key, value] : found.items()) check_near(value, expected.value(key, Json()), path + "." + key);
  } else if (found.is_array()) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) check_near(found[i], expected[i], path + "[" + std::to_string(i) + "]");
  } else {
    CHECK(found == expected);
  }
}

std::map<std::string, std::string> files_in(const Workspace& workspace, const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(workspace.path(folder))) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json")) files[name] = workspace.read(folder + "/" + name);
  }
  return files;
}

}  // namespace

TEST_CASE("a study of prompts that a signal stops goes on with what was answered", "[app][shell]") {
  const Study study = GENERATE(kRun, kStability, kOptimise);
  INFO(study.action);
  const Workspace workspace;
  write_prompt_job(workspace, R"("stability": {"order": ["random", "by_label"]}, "optimise": {"budget": 40000})", 1200);
  const std::string command = "prompt " + study.action + " run.json --quiet --json --set output_dir=";
  const pid_t child = start_attune(workspace, command + "out 2>stderr.txt");
  CHECK(appear({workspace.path("out/" + study.answers + "/1.json")}));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 143);
  CHECK_THAT(workspace.read("stderr.txt"), ContainsSubstring("--resume"));
  for (const std::string unfinished : {study.action == "run" ? std::string("test_answers") : study.results, std::string("junit.xml"), std::string("test_answers")}) {
    CHECK_FALSE(fs::exists(workspace.path("out/" + unfinished)));
  }
  const auto kept = files_in(workspace, "out/" + study.answers);
  REQUIRE_FALSE(kept.empty());

  const Finished resumed = run_attune(workspace, command + "out --resume"), whole = run_attune(workspace, command + "whole");
  INFO(resumed.err << whole.err);
  REQUIRE(resumed.exit_code == 0);
  REQUIRE(whole.exit_code == 0);
  for (const auto& [name, text] : kept) CHECK(workspace.read("out/" + study.answers + "/" + name) == text);
  CHECK(files_in(workspace, "whole/" + study.answers).size() > kept.size());
  check_near(without_times(Json::parse(resumed.out)), without_times(Json::parse(whole.out)), study.action);
  CHECK(workspace.read("out/report.html").size() > 1000);
}

TEST_CASE("a study of prompts that has all answers asks nothing when it is resumed", "[app][shell]") {
  const Study study = GENERATE(kRun, kStability, kOptimise);
  INFO(study.action);
  const Workspace workspace;
  write_prompt_job(workspace);
  const std::string command = "prompt " + study.action + " run.json --quiet --json";
  const Finished first = run_attune(workspace, command);
  INFO(first.err);
  REQUIRE(first.exit_code == 0);
  const auto kept = files_in(workspace, "out/" + study.answers);
  fs::remove(workspace.path("out/" + study.results));
  const Finished again = run_attune(workspace, command + " --resume");
  INFO(again.err);
  REQUIRE(again.exit_code == 0);
  CHECK(again.out == first.out);
  CHECK(files_in(workspace, "out/" + study.answers) == kept);

  SECTION("but not after the prompts have changed") {
    workspace.write("prompts.json", R"({"instruction": ["Name it.", "What is it about?"], "input": "Message: {{ text }}\nTopic:", "rules": {"case": ["as_is", "upper"]}})");
    const Finished refused = run_attune(workspace, command + " --resume");
    CHECK(refused.exit_code == 10);
    CHECK_THAT(refused.err, ContainsSubstring("other prompts, rows or settings"));
  }
  SECTION("and not from a file of answers that is damaged") {
    workspace.write("out/" + study.answers + "/1.json", "{}");
    const Finished refused = run_attune(workspace, command + " --resume");
    CHECK(refused.exit_code == 10);
    CHECK_THAT(refused.err, ContainsSubstring("no file of answers"));
  }
}
