// attune learning-curve: nested parts × seeds × methods, a signal in between, the page, and verification.
#include <csignal>
#include <sstream>
#include <tuple>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::appear;
using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// A baseline, a head on a tiny encoder, and a tiny GPT that is asked with and without examples.
void write_curve_job(const Workspace& workspace, const std::string& training = "") {
  write_tiny_job(workspace, training);
  workspace.write("test.jsonl", tiny_rows(24));
  workspace.write("prompts.json", R"({"instruction": "Name the topic.", "input": "Message: {{ text }}\nTopic:"})");
  Json config = Json::parse(workspace.read("run.json"));
  config["data"]["test"] = "test.jsonl";
  config["tuning"] = {{"method", "head"}};
  config["prompting"] = {{"prompts", "prompts.json"}};
  config["seeds"] = {1, 2, 3};
  const Json gpt = {{"model.path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"}};
  Json zero = gpt, few = gpt;
  zero["prompting.examples.k"] = 0;
  few["prompting.examples.k"] = 2;
  config["learning_curve"] = {{"sizes", {8, 2, 4}},
                              {"methods",
                               {{{"name", "words"}, {"kind", "words"}},
                                {{"name", "head"}, {"kind", "train"}},
                                {{"name", "zero-shot"}, {"kind", "prompt"}, {"set", zero}},
                                {{"name", "few-shot"}, {"kind", "prompt"}, {"set", few}}}}};
  workspace.write("run.json", config.dump());
}

Json without_seconds(Json results) {
  for (const char* own : {"output_dir", "opening"}) results.erase(own);
  for (Json& method : results["methods"]) {
    for (Json& point : method["points"]) point.erase("seconds");
    for (Json& size : method["by_size"]) size.erase("seconds");
  }
  return results;
}

Finished run_curve(const Workspace& workspace, const std::string& more) {
  return run_attune(workspace, "learning-curve run.json --json --quiet " + more);
}

std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("learning curves of several methods on the same test rows", "[app][shell][curve]") {
  const Workspace workspace;
  write_curve_job(workspace);
  const Finished done = run_curve(workspace, "");
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const Json results = Json::parse(done.out);
  CHECK(results == Json::parse(workspace.read("out/learning_curve_results.json")));
  CHECK(results["sizes"] == Json{2, 4, 8});
  REQUIRE(results["methods"].size() == 4);
  CHECK(results["methods"][0]["points"].size() == 9);
  CHECK(results["methods"][2]["points"].size() == 1);  // without examples nothing is drawn
  CHECK(results["methods"][2]["learns"] == false);
  CHECK(results["methods"][3]["points"].size() == 9);
  CHECK(results["crossings"].size() == 6);
  CHECK(results["test_rows"] == 24);

  // A point's score is that of its predictions, and what was trained is a run on that part of the rows.
  const Json& point = results["methods"][1]["points"][4];
  CHECK(point["size"] == 4);
  CHECK(point["seed"] == 2);
  const std::string predictions = workspace.read("out/" + point["predictions"].get<std::string>());
  CHECK(line_count(predictions) == 24);
  std::istringstream lines(predictions);
  int right = 0;
  for (std::string line; std::getline(lines, line);) right += Json::parse(line)["label"] == Json::parse(line)["gold"] ? 1 : 0;
  CHECK(point["accuracy"].get<double>() == Approx(right / 24.0));
  const Json trained = Json::parse(workspace.read("out/methods/head/size-4/seed-2/config.resolved.json"));
  CHECK(trained["data"]["subset"]["per_class"] == 4);
  CHECK(trained["data"]["subset"]["seed"] == 2);
  CHECK(trained["seeds"] == Json{2});
  CHECK_FALSE(fs::exists(workspace.path("out/methods/head/size-4/seed-2/model.safetensors")));
  CHECK_FALSE(fs::exists(workspace.path("out/methods/head/size-4/seed-2/test_results.json")));

  const std::string page = workspace.read("out/report.html");
  for (const char* part : {"<svg", "zero-shot", "labels per class (logarithmic)", "nothing was measured"}) CHECK_THAT(page, ContainsSubstring(part));

  SECTION("the same alone: a training on this part scores as the point says") {
    const Finished alone = run_attune(workspace, "train run.json --json --quiet --set data.subset.per_class=4 --set data.subset.seed=2 --set seeds=[2] --set output_dir=alone");
    INFO(alone.err);
    REQUIRE(alone.exit_code == 0);
    CHECK(Json::parse(alone.out)["test"]["metrics"]["accuracy"] == point["accuracy"]);
  }
  SECTION("models are kept, and other numbers of labels foretold, where that is asked for") {
    const Finished asked = run_curve(workspace, "--set output_dir=kept --set learning_curve.keep_models=true --set learning_curve.more_labels=7");
    INFO(asked.err);
    REQUIRE(asked.exit_code == 0);
    CHECK(fs::exists(workspace.path("kept/methods/head/size-4/seed-2/model.safetensors")));
    CHECK_THAT(workspace.read("kept/report.html"), ContainsSubstring("7 more labels per class"));
  }
  SECTION("it is verified, and what was written over is found") {
    const Finished verified = run_attune(workspace, "verify out --json");
    INFO(verified.out << verified.err);
    CHECK(verified.exit_code == 0);
    CHECK(Json::parse(verified.out)["study"] == "learning-curve");
    CHECK_THAT(verified.out, ContainsSubstring("1 training of 18 repeated"));
    CHECK_THAT(verified.out, ContainsSubstring("80 rows of 10 asked methods asked again"));
    const Finished all = run_attune(workspace, "verify out --json --quiet --runs 18");
    INFO(all.out << all.err);
    CHECK(all.exit_code == 0);
    CHECK_THAT(all.out, ContainsSubstring("18 trainings of 18 repeated"));
    const std::string file = "out/" + point["predictions"].get<std::string>();
    std::string kept;
    for (std::istringstream rows(predictions); kept.size() < predictions.size();) {
      std::string line;
      REQUIRE(std::getline(rows, line));
      Json row = Json::parse(line);
      if (kept.empty()) row["scores"]["card"] = row["scores"]["card"].get<double>() * 0.999;
      kept += row.dump() + "\n";
    }
    workspace.write(file, kept);
    const Finished other = run_attune(workspace, "verify out --json --quiet --runs 18");
    CHECK(other.exit_code == 9);
    CHECK_THAT(other.out, ContainsSubstring("head, size 4, seed 2: repeated, it answers 1 of 24 test rows in another way"));
    workspace.write(file, predictions);
    Json turned = results;
    turned["methods"][1]["points"][4]["accuracy"] = 0.123;
    workspace.write("out/learning_curve_results.json", turned.dump());
    const Finished changed = run_attune(workspace, "verify out");
    CHECK(changed.exit_code == 9);
    CHECK_THAT(changed.out, ContainsSubstring("head, size 4, seed 2.accuracy: recorded 0.123"));
  }
  SECTION("finished points are read when it is resumed, also with more of them") {
    const Finished more = run_curve(workspace, "--resume --set 'learning_curve.sizes=[2,4,8,12]'");
    INFO(more.err);
    REQUIRE(more.exit_code == 0);
    const Json now = Json::parse(more.out);
    CHECK(now["methods"][1]["points"].size() == 12);
    for (std::size_t i = 0; i < 9; ++i) CHECK(now["methods"][1]["points"][i] == results["methods"][1]["points"][i]);
  }
  SECTION("and not after rows or settings have changed") {
    CHECK(run_curve(workspace, "--resume --set training.learning_rate=0.5").exit_code == 10);
    workspace.write("test.jsonl", tiny_rows(21));
    CHECK(run_curve(workspace, "--resume").exit_code == 10);
  }
}

TEST_CASE("learning curves that a signal stops end as if nothing had stopped them", "[app][shell][curve]") {
  const Workspace workspace;
  write_curve_job(workspace, R"("num_train_epochs": 12, "save_strategy": "epoch")");
  Json config = Json::parse(workspace.read("run.json"));
  config["learning_curve"]["methods"].erase(2);  // (the prompts)
  config["learning_curve"]["methods"].erase(2);
  workspace.write("run.json", config.dump());
  const Finished whole = run_curve(workspace, "--set output_dir=whole");
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  const pid_t child = start_attune(workspace, "learning-curve run.json --quiet 2>stderr.txt");
  CHECK(appear({workspace.path("out/methods/head/size-2/seed-2")}));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 143);
  CHECK_FALSE(fs::exists(workspace.path("out/learning_curve_results.json")));
  CHECK(fs::exists(workspace.path("out/methods/head/size-2/point-seed-1.json")));
  const std::string first = workspace.read("out/methods/head/size-2/point-seed-1.json"), said = workspace.read("stderr.txt"), before = "go on with: attune ";
  REQUIRE(said.find(before) != std::string::npos);
  std::string command = said.substr(said.find(before) + before.size());
  command.pop_back();
  const Finished resumed = run_attune(workspace, command + " --json --quiet");
  INFO(command << "\n" << resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(workspace.read("out/methods/head/size-2/point-seed-1.json") == first);
  CHECK(without_seconds(Json::parse(resumed.out)) == without_seconds(Json::parse(whole.out)));
}

TEST_CASE("a training that diverges is a point without a score", "[app][shell][curve]") {
  const Workspace workspace;
  write_curve_job(workspace, R"("max_grad_norm": 0, "optim": "sgd", "num_train_epochs": 6)");
  Json config = Json::parse(workspace.read("run.json"));
  config["learning_curve"]["methods"] = {{{"name", "words"}, {"kind", "words"}}, {{"name", "wild"}, {"kind", "train"}, {"set", {{"training.learning_rate", 1e38}}}}};
  workspace.write("run.json", config.dump());
  const Finished done = run_curve(workspace, "");
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const Json wild = Json::parse(done.out)["methods"][1];
  CHECK(wild["points"][0].contains("failed"));
  CHECK_FALSE(wild.contains("law"));
  CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("Trainings that diverged"));
}

TEST_CASE("a learning curve asks the wordings that prompting.wordings names", "[app][shell][curve]") {
  const Workspace workspace;
  write_curve_job(workspace);
  workspace.write("prompts.json",
                  R"({"instruction": ["Name the topic.", "What is it?"], "input": "Message: {{ text }}\nTopic:"})");
  Json config = Json::parse(workspace.read("run.json"));
  config["prompting"]["wordings"] = Json::array({"default/instruction=2"});
  config["learning_curve"]["methods"].erase(3);  // of words, head, zero-shot, few-shot
  config["learning_curve"]["methods"].erase(1);
  workspace.write("run.json", config.dump());
  const Finished done = run_curve(workspace, "");
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const Json method = Json::parse(done.out)["methods"][1];
  REQUIRE(method["points"].size() == 1);
  CHECK_FALSE(method["points"][0].contains("candidate"));  // there was one
  const Json work = Json::parse(workspace.read("out/methods/zero-shot/all/seed-1-test.json"));
  CHECK(work["facts"]["shown"]["wording"] == "default/instruction=2");
  CHECK(work["facts"]["shown"]["prompt"].get<std::string>().starts_with("What is it?"));
}

TEST_CASE("what gives no learning curve is refused before anything is written", "[app][shell][curve]") {
  const Workspace workspace;
  write_curve_job(workspace);
  const std::vector<std::tuple<std::string, int, std::string>> cases = {
      {"--set learning_curve.sizes=[4,8]", 2, "at least 3 numbers of labels"},
      {"--set learning_curve.sizes=[4,8,4]", 2, "4 stands there twice"},
      {"--set learning_curve.sizes=[4,8,17]", 4, "has 16 training rows"},
      {"--set learning_curve.sizes=[4,8,99]", 4, "(learning_curve.sizes)"},
      {"--set seeds=[1,2]", 2, "at least 3"},
      {"--set data.subset.rows=9", 2, "data.subset"},
      {"--set data.test=[]", 2, "data.test"}};
  for (const auto& [arguments, code, message] : cases) {
    INFO(arguments);
    const Finished refused = run_curve(workspace, arguments);
    INFO(refused.err);
    CHECK(refused.exit_code == code);
    CHECK_THAT(refused.err, ContainsSubstring(message));
    CHECK_FALSE(fs::exists(workspace.path("out")));
  }
  const Finished planned = run_curve(workspace, "--dry-run");
  REQUIRE(planned.exit_code == 0);
  CHECK(Json::parse(planned.out).size() == 28);
  CHECK_FALSE(fs::exists(workspace.path("out")));
}
