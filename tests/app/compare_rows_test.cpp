// attune compare: what it says of the test set, and what it refuses.
#include <algorithm>

#include "app/comparison.h"
#include "catch.h"

using namespace attune::testing;

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
  CHECK(before("--set output_dir=runs/fifth --set data.openings_file=own.jsonl") == 0);
  CHECK(workspace.read("runs/third/report.html").find("<b>2 times</b>") != std::string::npos);
  CHECK(predictions_in(workspace, "runs/test_openings.jsonl").size() == 4);
  workspace.write("runs/test_openings.jsonl", "nonsense\n" + workspace.read("runs/test_openings.jsonl"));
  const Finished told = run_attune(workspace, "compare run.json --json --quiet --set output_dir=runs/sixth");
  REQUIRE(told.exit_code == 0);
  CHECK(Json::parse(told.out)["opening"]["before"] == 3);
  CHECK_THAT(told.err, ContainsSubstring("test_openings.jsonl:1: this line is no opening"));
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
  workspace.write("test.jsonl", topic_rows(40, "test") +
                                    R"({"id": "x", "text": "refund refund test zebra", "label": "refund"})" + "\n");
  results_of("runs/more");
  const std::vector<Json> among = predictions_in(workspace, "runs/more/methods/words/seed-1-test.jsonl");
  REQUIRE(among.size() == 41);
  for (std::size_t i = 0; i < alone.size(); ++i) CHECK(among[i] == alone[i]);

  workspace.write("train.jsonl",
                  topic_rows(40, "learn") + R"({"text": "TEST 3  please help", "label": "refund"})" + "\n");
  const auto [leaky, said] = results_of("runs/leaky");
  REQUIRE(leaky["duplicates"].size() == 1);
  CHECK(leaky["duplicates"][0]["between"] == Json{"train", "test"});
  CHECK(leaky["duplicates"][0]["rows"] == 1);
  CHECK_THAT(said, ContainsSubstring("1 row of test has a text that occurs in train"));
  CHECK(workspace.read("runs/leaky/report.html").find("occurs in train") != std::string::npos);
}

TEST_CASE("of a prompt set a comparison asks the wordings that prompting.wordings names", "[app][shell]") {
  const Workspace workspace;
  const Json gpt = {{"model.path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"}};
  Json methods = Json::array({{{"name", "majority"}, {"kind", "majority"}}});
  methods.push_back({{"name", "named"}, {"kind", "prompt"}, {"set", gpt}});
  methods.push_back(
      {{"name", "own"}, {"kind", "prompt"}, {"set", gpt}, {"wordings", Json::array({"default/instruction=1"})}});
  const Json named = Json::array({"default/instruction=2"});
  write_comparison(workspace, methods, {{"prompting", {{"prompts", "prompts.json"}, {"wordings", named}}}});
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out);
  const auto asked = [&](const std::string& name, const std::string& wording, const std::string& begin) {
    const Json& method = method_named(results, name);
    CHECK(method["candidates"] == 1);
    CHECK(method["tried"].is_null());
    CHECK(method["wording"] == wording);
    CHECK(method["shown"]["prompt"].get<std::string>().starts_with(begin));
    CHECK_FALSE(std::filesystem::exists(workspace.path("runs/out/methods/" + name + "/candidate-1")));
    return predictions_in(workspace, "runs/out/methods/" + name + "/seed-1-test.jsonl");
  };
  const std::vector<Json> second = asked("named", "default/instruction=2", "What is it about?");
  const std::vector<Json> first = asked("own", "default/instruction=1", "Name the topic.");  // a method's own go first
  REQUIRE(first.size() == second.size());
  CHECK(first[0]["scores"] != second[0]["scores"]);

  const Finished wrong = run_attune(
      workspace, R"(compare run.json --quiet --set output_dir=runs/wrong --set 'prompting.wordings=["none"]')");
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, ContainsSubstring("no wording 'none'"));
}

TEST_CASE("a candidate that diverges is passed over", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "full"},
                     {"kind", "train"},
                     {"set", {{"training.max_grad_norm", 0}, {"training.optim", "sgd"}}},
                     {"vary", {{"training.learning_rate", {1e38, 0.01}}}}});
  write_comparison(workspace, methods);
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out);
  CHECK(method_named(results, "full")["tried"][0].contains("failed"));
  CHECK(method_named(results, "full")["candidate"] == "training.learning_rate=0.01");
}

TEST_CASE("of candidates that are right equally often the one with the smaller loss is chosen", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "head"},
                     {"kind", "train"},
                     {"set", {{"tuning.method", "head"}}},
                     {"vary", {{"training.learning_rate", {1e-9, 1e-6, 1e-8}}}}});
  methods.push_back({{"name", "full"}, {"kind", "train"}, {"vary", {{"training.learning_rate", {1e-9, 0.01}}}}});
  write_comparison(workspace, methods, {{"training", {{"num_train_epochs", 4}, {"per_device_train_batch_size", 8}}}});
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out), &head = method_named(results, "head");
  std::size_t least = 0;
  for (std::size_t i = 1; i < 3; ++i) {
    REQUIRE(head["tried"][i]["accuracy"] == head["tried"][0]["accuracy"]);
    if (head["tried"][i]["loss"].get<double>() < head["tried"][least]["loss"].get<double>()) least = i;
  }
  CHECK(least == 1);
  CHECK(head["candidate"] == head["tried"][least]["name"]);

  const Json& full = method_named(results, "full");  // and the one that is right more often before all
  REQUIRE(full["tried"][1]["accuracy"].get<double>() > full["tried"][0]["accuracy"].get<double>());
  CHECK(full["candidate"] == full["tried"][1]["name"]);
}

TEST_CASE("methods learn from the part of the rows that is asked for, and cost money where its price is known",
          "[app][shell]") {
  const Workspace workspace;
  write_comparison(workspace, kBaselines);
  const Finished compared = run_attune(workspace,
                                       "compare run.json --json --quiet --set data.subset.per_class=8 --set "
                                       "cost.price_per_hour=3600 --set compare.predictions=500");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out);
  CHECK(results["rows"]["train"] == 16);
  CHECK(results["cost_unit"] == "USD");
  const Json& cost = method_named(results, "words")["cost"];
  CHECK(cost["answering"]["money"].get<double>() == Approx(cost["answering"]["seconds"].get<double>()).margin(1e-3));
  CHECK(cost["use"]["money"].get<double>() ==
        Approx(cost["learning"]["money"].get<double>() + cost["per_1000"]["money"].get<double>() / 2));
  CHECK_THAT(results["recommendation"]["rule"].get<std::string>(), ContainsSubstring("answering 500 rows, in USD"));
}

TEST_CASE("a text that names no label is an answer of its own, and wrong", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "writes"},
                     {"kind", "prompt"},
                     {"set",
                      {{"model.path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"},
                       {"model.task", "text-generation"},
                       {"prompting.answer", "generation"},
                       {"generation.max_new_tokens", 3}}},
                     {"wordings", {"default/instruction=1"}}});
  write_comparison(workspace, methods);
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  const Json results = Json::parse(compared.out), &writes = method_named(results, "writes");
  CHECK(writes["seeds"].size() == 1);
  CHECK(writes["loss"]["value"].is_null());
  const std::vector<Json> rows = predictions_in(workspace, "runs/out/" + writes["predictions"][0].get<std::string>());
  CHECK(std::ranges::count_if(rows, [](const Json& row) { return row["label"] == "(no answer)"; }) > 0);
  CHECK_FALSE(rows[0].contains("scores"));
  CHECK(writes["accuracy"]["value"].get<double>() == Approx(accuracy_in(rows)));
  CHECK(run_attune(workspace, "verify runs/out --quiet").exit_code == 0);
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
  refused(one(R"({"name": "Words", "kind": "words"})"), "its name differs from 'words' in upper and lower case alone");
  refused(one(R"({"name": "tree", "kind": "forest"})"), "compare.methods[2].kind");
  refused(one(R"({"name": "a/b", "kind": "words"})"), "compare.methods[2].name");
  refused(one(R"({"name": "head", "kind": "train"})"), "its answers depend on the seed, and 2 seeds",
          "--set seeds=[1,2]");
  refused(one(R"({"name": "head", "kind": "train", "set": {"data.test": "valid.jsonl"}})"),
          "'data.test' must be the same for all methods");
  refused(one(R"({"name": "head", "kind": "train", "vary": {"seeds": [1, 2]}})"),
          "'seeds' must be the same for all methods");
  refused(one(R"({"name": "head", "kind": "train", "vary": {"training.learning_rate": [1, 2, 3, 4, 5]}})"),
          "5 candidates, and a method may choose among 4");
  refused(one(R"({"name": "ask", "kind": "prompt", "set": {"prompting.score": "mean"}})"),
          "2 candidates, and a method may choose among 1", "--set compare.selection_budget=1");
  refused(one(R"({"name": "ask", "kind": "prompt", "wordings": ["default/instruction=3"]})"),
          "has no wording 'default/instruction=3'");
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
