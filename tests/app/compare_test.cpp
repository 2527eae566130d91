// attune compare: many methods on one sealed test set, from a shell.
#include <algorithm>
#include <csignal>
#include <map>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::appear;
using attune::testing::Finished;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using Json = nlohmann::ordered_json;

/// Rows of two labels that no other prefix gives, with words that tell the label most of the time.
std::string topic_rows(int rows, const std::string& prefix) {
  std::string lines;
  for (int i = 0; i < rows; ++i) {
    const bool is_card = i % 5 < 3;
    const std::string hint = i % 4 == 3 ? "please help" : is_card ? "my card is lost" : "where is my refund";
    lines += Json{{"id", prefix + std::to_string(i)}, {"text", prefix + " " + std::to_string(i) + " " + hint}, {"label", is_card ? "card" : "refund"}}.dump() + "\n";
  }
  return lines;
}

const Json kBaselines = Json::parse(R"([{"name": "majority", "kind": "majority"}, {"name": "words", "kind": "words"}])");

const Json kAllKinds = [] {
  Json methods = kBaselines;
  const std::string gpt = ATTUNE_SOURCE_DIR "/data/tiny-gpt";
  methods.push_back({{"name", "zero-shot"}, {"kind", "prompt"}, {"set", {{"model.path", gpt}}}});
  methods.push_back({{"name", "few-shot"},
                     {"kind", "prompt"},
                     {"set", {{"model.path", gpt}, {"prompting.examples.k", 2}}},
                     {"wordings", {"default/instruction=1"}}});
  methods.push_back({{"name", "head"},
                     {"kind", "train"},
                     {"set", {{"tuning.method", "head"}}},
                     {"vary", {{"training.learning_rate", {1e-6, 0.02}}}}});
  return methods;
}();

void write_comparison(const Workspace& workspace, const Json& methods, const Json& top = Json::object()) {
  workspace.write("train.jsonl", topic_rows(40, "learn"));
  workspace.write("valid.jsonl", topic_rows(20, "choose"));
  workspace.write("test.jsonl", topic_rows(40, "test"));
  workspace.write("prompts.json", R"({"instruction": ["Name the topic.", "What is it about?"], "input": "{{ text }}\nTopic:"})");
  Json config = {{"model", {{"path", kTinyModel}}},
                 {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"test", "test.jsonl"}, {"max_length", 32}}},
                 {"training", {{"num_train_epochs", 2}, {"per_device_train_batch_size", 8}}},
                 {"prompting", {{"prompts", "prompts.json"}}},
                 {"compare", {{"methods", methods}}},
                 {"seeds", {1, 2, 3}},
                 {"threads", 1},
                 {"output_dir", "runs/out"}};
  config.update(top);
  workspace.write("run.json", config.dump());
}

std::vector<Json> predictions_in(const Workspace& workspace, const std::string& file) {
  std::istringstream lines(workspace.read(file));
  std::vector<Json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
  return rows;
}

double accuracy_in(const std::vector<Json>& rows) {
  const auto right = std::ranges::count_if(rows, [](const Json& row) { return row["label"] == row["gold"]; });
  return static_cast<double>(right) / static_cast<double>(rows.size());
}

const Json& method_named(const Json& results, const std::string& name) {
  return *std::ranges::find_if(results["methods"], [&](const Json& method) { return method["name"] == name; });
}

/// What does not depend on time.
Json timeless(Json results) {
  for (const char* key : {"output_dir", "seconds", "opening", "recommendation"}) results.erase(key);
  for (Json& method : results["methods"]) method.erase("cost");
  return results;
}

}  // namespace

TEST_CASE("methods of all kinds answer the same test rows", "[app][shell]") {
  const Workspace workspace;
  write_comparison(workspace, kAllKinds);
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out);
  CHECK(results == Json::parse(workspace.read("runs/out/compare_results.json")));
  REQUIRE(results["methods"].size() == 5);
  CHECK(results["pairs"].size() == 10);
  CHECK(results["rows"] == Json{{"train", 40}, {"validation", 20}, {"test", 40}});

  for (const Json& method : results["methods"]) {
    INFO(method["name"]);
    const bool has_chance = method["name"] == "few-shot" || method["name"] == "head";
    CHECK(method["seeds"].size() == (has_chance ? 3 : 1));
    double mean = 0;
    for (const Json& file : method["predictions"]) {
      const std::vector<Json> rows = predictions_in(workspace, "runs/out/" + file.get<std::string>());
      REQUIRE(rows.size() == 40);
      CHECK(rows[7]["id"] == "test7");
      mean += accuracy_in(rows) / static_cast<double>(method["seeds"].size());
    }
    CHECK(method["accuracy"]["value"].get<double>() == Approx(mean));
    CHECK(method["cost"]["per_1000"]["seconds"].get<double>() > 0);
    CHECK(method["cost"]["use"]["seconds"].get<double>() > 0);
    CHECK(method["cost"]["answering"]["peak_memory"].get<std::int64_t>() > 0);
  }
  CHECK(method_named(results, "majority")["accuracy"]["value"] == results["majority"]);
  CHECK(method_named(results, "head")["cost"]["trained_parameters"].get<std::int64_t>() > 0);
  CHECK(method_named(results, "zero-shot")["cost"]["per_1000"]["tokens"].get<double>() > 0);
  CHECK(workspace.read("runs/out/report.html").find("What it costs") != std::string::npos);

  SECTION("candidates are chosen by the validation rows, and only the chosen one sees the test rows") {
    for (const std::string name : {"zero-shot", "head"}) {
      const Json& method = method_named(results, name);
      REQUIRE(method["tried"].size() == 2);
      std::size_t best = 0;
      double most = -1;
      for (std::size_t i = 0; i < 2; ++i) {
        double accuracy = 0;
        for (const Json& seed : method["seeds"]) {
          const std::string file = "runs/out/methods/" + name + "/candidate-" + std::to_string(i + 1) + "/seed-" + seed.dump();
          accuracy += accuracy_in(predictions_in(workspace, file + "-validation.jsonl")) / static_cast<double>(method["seeds"].size());
          CHECK_FALSE(std::filesystem::exists(workspace.path(file + "/predictions.jsonl")));
          const bool is_chosen = method["candidate"] == method["tried"][i]["name"];
          CHECK(std::filesystem::exists(workspace.path(file + "-test.jsonl")) == is_chosen);
        }
        CHECK(method["tried"][i]["accuracy"].get<double>() == Approx(accuracy));
        if (accuracy > most) best = i;
        most = std::max(most, accuracy);
      }
      CHECK(method["tried"][best]["accuracy"].get<double>() == Approx(most));
    }
  }
  SECTION("what was tuned is a run like any other") {
    const std::string candidate = method_named(results, "head")["candidate"] == "training.learning_rate=0.02" ? "2" : "1";
    const std::string run = "runs/out/methods/head/candidate-" + candidate + "/seed-2";
    CHECK(run_attune(workspace, "verify " + run + " --quiet").exit_code == 0);
    const Finished predicted = run_attune(workspace, "predict " + run + " test.jsonl --quiet");
    REQUIRE(predicted.exit_code == 0);
    std::istringstream lines(predicted.out);
    for (const Json& row : predictions_in(workspace, run + "-test.jsonl")) {
      std::string line;
      REQUIRE(std::getline(lines, line));
      CHECK(Json::parse(line)["label"] == row["label"]);
    }
  }
  SECTION("what is finished is read again") {
    const std::string head = workspace.read("runs/out/methods/head/candidate-1/seed-3/events.jsonl");
    for (const char* file : {"compare_results.json", "methods/words/seed-1-test.json", "methods/few-shot/seed-2-test.json"}) {
      REQUIRE(std::filesystem::remove(workspace.path(std::string("runs/out/") + file)));
    }
    const Finished resumed = run_attune(workspace, "compare run.json --json --quiet --resume");
    INFO(resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(timeless(Json::parse(resumed.out)) == timeless(results));
    CHECK(workspace.read("runs/out/methods/head/candidate-1/seed-3/events.jsonl") == head);
    CHECK(Json::parse(resumed.out)["opening"]["before"] == 0);  // the same opening

    workspace.write("test.jsonl", topic_rows(41, "test"));
    const Finished other = run_attune(workspace, "compare run.json --quiet --resume");
    CHECK(other.exit_code == 10);
    CHECK_THAT(other.err, ContainsSubstring("of other methods, rows, bases or prompts"));
  }
}

TEST_CASE("openings of a test set are counted by its content", "[app][shell]") {
  const Workspace workspace;
  write_comparison(workspace, kBaselines);
  const auto before = [&](const std::string& more) {
    const Finished compared = run_attune(workspace, "compare run.json --json --quiet " + more);
    INFO(compared.err);
    REQUIRE(compared.exit_code == 0);
    return Json::parse(compared.out)["opening"]["before"].get<int>();
  };
  CHECK(before("") == 0);
  CHECK(before("--set output_dir=runs/second") == 1);
  workspace.write("renamed.jsonl", topic_rows(40, "test"));
  CHECK(before("--set output_dir=runs/third --set data.test=renamed.jsonl") == 2);
  CHECK(before("--set output_dir=runs/fourth --set data.test=valid.jsonl --set data.validation=renamed.jsonl") == 0);
  CHECK(before("--set output_dir=runs/fifth --set compare.openings_file=own.jsonl") == 0);
  CHECK(workspace.read("runs/third/report.html").find("<b>2 times</b>") != std::string::npos);
  CHECK(predictions_in(workspace, "runs/test_openings.jsonl").size() == 4);
  workspace.write("runs/test_openings.jsonl", "nonsense\n");
  const Finished refused = run_attune(workspace, "compare run.json --quiet --set output_dir=runs/sixth");
  CHECK(refused.exit_code == 4);
  CHECK_THAT(refused.err, ContainsSubstring("test_openings.jsonl:1"));
}

TEST_CASE("planted leaks are found, and nothing is learned from test rows", "[app][shell]") {
  const Workspace workspace;
  write_comparison(workspace, kBaselines);
  const auto results_of = [&](const std::string& output_dir) {
    const Finished compared = run_attune(workspace, "compare run.json --json --set output_dir=" + output_dir);
    INFO(compared.err);
    REQUIRE(compared.exit_code == 0);
    return std::pair(Json::parse(compared.out), compared.err);
  };
  CHECK(results_of("runs/clean").first["duplicates"].empty());
  CHECK(workspace.read("runs/clean/report.html").find("No text of a test row occurs") != std::string::npos);

  // Words that only test rows have change no answer to the others.
  const std::vector<Json> alone = predictions_in(workspace, "runs/clean/methods/words/seed-1-test.jsonl");
  workspace.write("test.jsonl", topic_rows(40, "test") + R"({"id": "x", "text": "refund refund test zebra", "label": "refund"})" + "\n");
  results_of("runs/more");
  const std::vector<Json> among = predictions_in(workspace, "runs/more/methods/words/seed-1-test.jsonl");
  REQUIRE(among.size() == 41);
  for (std::size_t i = 0; i < alone.size(); ++i) CHECK(among[i] == alone[i]);

  workspace.write("train.jsonl", topic_rows(40, "learn") + R"({"text": "TEST 3  please help", "label": "refund"})" + "\n");
  const auto [leaky, said] = results_of("runs/leaky");
  REQUIRE(leaky["duplicates"].size() == 1);
  CHECK(leaky["duplicates"][0]["between"] == Json{"train", "test"});
  CHECK(leaky["duplicates"][0]["rows"] == 1);
  CHECK_THAT(said, ContainsSubstring("1 row of test has a text that occurs in train"));
  CHECK(workspace.read("runs/leaky/report.html").find("occurs in train") != std::string::npos);
}

TEST_CASE("a comparison that a signal stops goes on where it was", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "full"}, {"kind", "train"}});
  write_comparison(workspace, methods, {{"training", {{"num_train_epochs", 30}, {"per_device_train_batch_size", 2}, {"save_strategy", "epoch"}}}});
  const Finished whole = run_attune(workspace, "compare run.json --json --quiet --set output_dir=runs/whole");
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);

  const pid_t child = start_attune(workspace, "compare run.json --quiet 2>stderr.txt");
  CHECK(appear({workspace.path("runs/out/methods/full/seed-2/checkpoints")}));
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 130);
  CHECK_FALSE(std::filesystem::exists(workspace.path("runs/out/compare_results.json")));
  const std::string first = workspace.read("runs/out/methods/full/seed-1/events.jsonl");
  CHECK_THAT(workspace.read("stderr.txt"), ContainsSubstring("attune compare run.json --resume"));

  const Finished resumed = run_attune(workspace, "compare run.json --json --quiet --resume");
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(workspace.read("runs/out/methods/full/seed-1/events.jsonl") == first);
  CHECK(timeless(Json::parse(resumed.out)) == timeless(Json::parse(whole.out)));
}

TEST_CASE("a candidate that diverges is passed over", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "full"}, {"kind", "train"}, {"set", {{"training.max_grad_norm", 0}, {"training.optim", "sgd"}}},
                     {"vary", {{"training.learning_rate", {1e38, 0.01}}}}});
  write_comparison(workspace, methods);
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out);
  CHECK(method_named(results, "full")["tried"][0].contains("failed"));
  CHECK(method_named(results, "full")["candidate"] == "training.learning_rate=0.01");
}

TEST_CASE("what cannot be compared is refused before anything is written", "[app][shell]") {
  const Workspace workspace;
  const auto refused = [&](const Json& methods, const std::string& message, const std::string& more = "") {
    Json all = kBaselines;
    for (const Json& method : methods) all.push_back(method);
    write_comparison(workspace, all);
    const Finished compared = run_attune(workspace, "compare run.json --quiet " + more);
    INFO(message << "\n" << compared.err);
    CHECK(compared.exit_code == 2);
    CHECK(compared.err.find(message) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(workspace.path("runs")));
  };
  const auto one = [](const char* text) { return Json::array({Json::parse(text)}); };
  refused(one(R"({"name": "words", "kind": "words"})"), "two methods have this name");
  refused(one(R"({"name": "tree", "kind": "forest"})"), "compare.methods[2].kind");
  refused(one(R"({"name": "a/b", "kind": "words"})"), "compare.methods[2].name");
  refused(one(R"({"name": "head", "kind": "train"})"), "its answers depend on the seed, and 2 seeds", "--set seeds=[1,2]");
  refused(one(R"({"name": "head", "kind": "train", "set": {"data.test": "valid.jsonl"}})"), "'data.test' must be the same for all methods");
  refused(one(R"({"name": "head", "kind": "train", "vary": {"seeds": [1, 2]}})"), "'seeds' must be the same for all methods");
  refused(one(R"({"name": "head", "kind": "train", "vary": {"training.learning_rate": [1, 2, 3, 4, 5]}})"), "5 candidates, and a method may choose among 4");
  refused(one(R"({"name": "ask", "kind": "prompt", "set": {"prompting.score": "mean"}})"), "2 candidates, and a method may choose among 1", "--set compare.selection_budget=1");
  refused(one(R"({"name": "ask", "kind": "prompt", "wordings": ["default/instruction=3"]})"), "has no wording 'default/instruction=3'");
  refused(one(R"({"name": "head", "kind": "train", "wordings": ["default"]})"), "has no wordings");
  refused(one(R"({"name": "head", "kind": "train", "set": {"training.learning_rat": 1}})"), "method 'head'");
  refused({}, "there are no test rows", "--set data.test=[]");
  refused({}, "does not begin at a checkpoint", "--set resume_from_checkpoint=auto");
  write_comparison(workspace, Json::array({kBaselines[0]}));
  CHECK_THAT(run_attune(workspace, "compare run.json --quiet").err, ContainsSubstring("there is one method"));
  write_comparison(workspace, Json::array());
  CHECK_THAT(run_attune(workspace, "compare run.json --quiet").err, ContainsSubstring("there are no methods"));
}

TEST_CASE("a dry run lists methods and candidates", "[app][shell]") {
  const Workspace workspace;
  write_comparison(workspace, kAllKinds);
  const Finished dry = run_attune(workspace, "compare run.json --json --quiet --dry-run");
  INFO(dry.err);
  REQUIRE(dry.exit_code == 0);
  const Json methods = Json::parse(dry.out);
  REQUIRE(methods.size() == 5);
  CHECK(methods[2]["candidates"] == Json{"default/instruction=1", "default/instruction=2"});
  CHECK(methods[4]["candidates"] == Json{"training.learning_rate=1e-06", "training.learning_rate=0.02"});
  CHECK_FALSE(std::filesystem::exists(workspace.path("runs")));
}
