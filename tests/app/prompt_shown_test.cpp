// attune prompt, from a shell: which wordings are asked, what people see of them, and what they are warned of.
#include "app/prompt_job.h"
#include "catch.h"

using namespace attune::testing;

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSecond = "default/instruction=2/as_is";

}  // namespace

TEST_CASE("the wording that was chosen can be put to the test rows alone", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("split": "test")");
  const std::string command = "prompt run run.json --json ";
  const Finished all = run_attune(workspace, command);
  REQUIRE(all.exit_code == 0);
  CHECK_THAT(all.err, ContainsSubstring("4 wordings are put to the test rows"));
  CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("Chosen by these test rows, the best is flattered"));

  const Finished one = run_attune(workspace, command + "--set output_dir=one --set 'prompting.wordings=[\"" + kSecond + "\"]'");
  INFO(one.err);
  REQUIRE(one.exit_code == 0);
  CHECK(one.err.find("wordings are put") == std::string::npos);
  const Json asked = Json::parse(one.out)["wordings"];
  REQUIRE(asked.size() == 1);
  CHECK(asked[0]["name"] == kSecond);
  const Json among_all = Json::parse(all.out)["wordings"][2];
  CHECK(among_all["name"] == kSecond);
  CHECK(asked[0]["metrics"]["accuracy"] == among_all["metrics"]["accuracy"]);
  CHECK(asked[0]["metrics"]["loss"].get<double>() == Approx(among_all["metrics"]["loss"].get<double>()).margin(1e-5));

  const Finished wrong = run_attune(workspace, command + R"(--set output_dir=wrong --set 'prompting.wordings=["default/instruction=2/as is"]')");
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, ContainsSubstring("no wording 'default/instruction=2/as is'"));
  CHECK_THAT(wrong.err, ContainsSubstring(std::string("did you mean '") + kSecond));
}

TEST_CASE("a part of the wordings is a study of what varies among them", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace, R"("wordings": ["default/instruction=1/as_is", "default/instruction=2/as_is"])");
  const Finished asked = run_attune(workspace, "prompt stability run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json shares = Json::parse(asked.out)["shares"];
  CHECK(shares.contains("instruction"));
  CHECK_FALSE(shares.contains("case"));
}

TEST_CASE("pages and results show a prompt as the model reads it", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  const auto results_of = [&](const std::string& action) {
    const Finished done = run_attune(workspace, "prompt " + action + " run.json --json --quiet --set output_dir=" + action);
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(run_attune(workspace, "verify " + action + " --quiet").exit_code == 0);
    return Json::parse(done.out);
  };
  std::string lines = workspace.read("valid.jsonl");
  const std::string first = Json::parse(lines.substr(0, lines.find('\n')))["text"];
  const Json run = results_of("run");
  for (const Json& wording : run["wordings"]) {
    const std::string prompt = wording["shown"]["prompt"];
    const bool is_second = wording["levels"]["instruction"] == "2", is_upper = wording["levels"]["case"] == "upper";
    CHECK(prompt.starts_with(is_second ? "What is it about?" : "Name the topic."));
    const std::string end = (is_upper ? "MESSAGE: " : "Message: ") + first + (is_upper ? "\nTOPIC:" : "\nTopic:");
    CHECK(prompt.ends_with(end));
    CHECK(prompt.find("hello, ") != std::string::npos);  // an example
  }
  for (const std::string study : {"stability", "optimise"}) {
    const Json results = results_of(study);
    const std::string prompt = results["shown"]["prompt"];
    CHECK_THAT(workspace.read(study + "/report.html"), ContainsSubstring("<pre>" + prompt + "</pre>"));
    const std::string wording = study == "stability" ? results["best"] : results["chosen"]["name"];
    CHECK(results["shown"]["wording"] == wording);
  }
}

TEST_CASE("wordings that ask alike and words that hide others are told", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  workspace.write("prompts.json", R"({"input": ["Message: {{ text }}\nTopic:", "{{ text }}\n=>"], "rules": {"case": ["as_is", "lower"]},
    "label_words": {"card": ["credit"], "refund": ["credit note"]}})");
  const Finished asked = run_attune(workspace, "prompt run run.json --json");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  CHECK_THAT(asked.err, ContainsSubstring("1 of 4 wordings ask as another does: 'default/input=2/lower' as 'default/input=2/as_is'"));
  CHECK_THAT(asked.err, ContainsSubstring("begin with the word of another label: 'credit note' with 'credit'"));
  const Finished by_mean = run_attune(workspace, "prompt run run.json --json --set output_dir=mean --set prompting.score=mean");
  CHECK(by_mean.err.find("begin with the word") == std::string::npos);
  workspace.write("prompts.json", R"({"input": "Message: {{ text }}\nTopic:", "answer": " {{ answer }}.",
    "label_words": {"card": ["credit"], "refund": ["credit note"]}})");
  const Finished ended = run_attune(workspace, "prompt run run.json --json --set output_dir=ended");
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.find("begin with the word") == std::string::npos);
  CHECK(ended.err.find("as another does") == std::string::npos);
}
