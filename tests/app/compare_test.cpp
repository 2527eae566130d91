// attune compare: many methods on one sealed test set, from a shell.
#include <algorithm>
#include <csignal>

#include "app/comparison.h"
#include "catch.h"

using namespace attune::testing;

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
    CHECK(method["seeds"].size() == (has_chance ? 3u : 1u));
    double mean = 0;
    for (const Json& file : method["predictions"]) {
      const std::vector<Json> rows = predictions_in(workspace, "runs/out/" + file.get<std::string>());
      REQUIRE(rows.size() == 40);
      CHECK(rows[7]["id"] == "test7");
      for (const Json& row : rows) {
        double most = 0;
        for (const auto& [label, score] : row["scores"].items()) most = std::max(most, score.get<double>());
        CHECK(row["score"] == most);
        CHECK(row["scores"][row["label"].get<std::string>()] == most);
      }
      mean += accuracy_in(rows) / static_cast<double>(method["seeds"].size());
    }
    CHECK(method["accuracy"]["value"].get<double>() == Approx(mean));
    CHECK(method["cost"]["per_1000"]["seconds"].get<double>() > 0);
    const Json& cost = method["cost"];
    const double learned = cost.contains("learning") ? cost["learning"]["seconds"].get<double>() : 0;
    CHECK(cost["per_1000"]["seconds"].get<double>() == Approx(cost["answering"]["seconds"].get<double>() / 0.04));
    CHECK(cost["use"]["seconds"].get<double>() == Approx(learned + cost["per_1000"]["seconds"].get<double>()));
    CHECK(method["cost"]["answering"]["peak_memory"].get<std::int64_t>() > 0);
  }
  CHECK(method_named(results, "majority")["accuracy"]["value"] == results["majority"]);
  CHECK(results["cost_unit"] == "s");
  // The examples are drawn by the seed.
  CHECK(workspace.read("runs/out/methods/few-shot/seed-1-test.jsonl") !=
        workspace.read("runs/out/methods/few-shot/seed-2-test.jsonl"));
  CHECK(method_named(results, "head")["cost"]["trained_parameters"].get<std::int64_t>() > 0);
  CHECK(method_named(results, "zero-shot")["cost"]["per_1000"]["tokens"].get<double>() > 0);
  const std::string page = workspace.read("runs/out/report.html");
  CHECK_THAT(page, ContainsSubstring("What it costs"));

  // What a prompted method's chosen wording makes of the first test row.
  for (const Json& method : results["methods"]) {
    INFO(method["name"]);
    REQUIRE(method.contains("shown") == (method["kind"] == "prompt"));
    if (!method.contains("shown")) continue;
    const std::string prompt = method["shown"]["prompt"];
    CHECK(method["shown"]["wording"] == method["wording"]);
    CHECK(method["shown"]["row"] == "test0");
    CHECK(prompt.starts_with(method["wording"] == "default/instruction=1" ? "Name the topic." : "What is it about?"));
    CHECK(prompt.ends_with("test 0 my card is lost\nTopic:"));
    CHECK((prompt.find("learn") != std::string::npos) == (method["name"] == "few-shot"));  // examples
    CHECK_THAT(page, ContainsSubstring("<pre>" + prompt + "</pre>"));
  }

  SECTION("candidates are chosen by the validation rows, and only the chosen one sees the test rows") {
    for (const std::string name : {"zero-shot", "head"}) {
      const Json& method = method_named(results, name);
      REQUIRE(method["tried"].size() == 2);
      double most = -1;
      for (std::size_t i = 0; i < 2; ++i) {
        double accuracy = 0;
        for (const Json& seed : method["seeds"]) {
          const std::string file =
              "runs/out/methods/" + name + "/candidate-" + std::to_string(i + 1) + "/seed-" + seed.dump();
          accuracy += accuracy_in(predictions_in(workspace, file + "-validation.jsonl")) /
                      static_cast<double>(method["seeds"].size());
          CHECK_FALSE(std::filesystem::exists(workspace.path(file + "/predictions.jsonl")));
          const bool is_chosen = method["candidate"] == method["tried"][i]["name"];
          CHECK(std::filesystem::exists(workspace.path(file + "-test.jsonl")) == is_chosen);
        }
        CHECK(method["tried"][i]["accuracy"].get<double>() == Approx(accuracy));
        if (name == "head" && method["candidate"] == method["tried"][i]["name"]) {
          double longest = 0;
          for (const char* seed : {"1", "2", "3"}) {
            const Json work = Json::parse(workspace.read("runs/out/methods/head/candidate-" + std::to_string(i + 1) +
                                                         "/seed-" + seed + "-learning.json"));
            longest = std::max(longest, work["cost"]["seconds"].get<double>());
          }
          CHECK(method["cost"]["learning"]["seconds"].get<double>() == longest);
        }
        most = std::max(most, accuracy);
      }
      const auto chosen =
          std::ranges::find_if(method["tried"], [&](const Json& one) { return one["name"] == method["candidate"]; });
      CHECK((*chosen)["accuracy"].get<double>() == Approx(most));
    }
  }
  SECTION("what was tuned is a run like any other") {
    const std::string candidate =
        method_named(results, "head")["candidate"] == "training.learning_rate=0.02" ? "2" : "1";
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
  SECTION("what follows from the predictions can be verified") {
    const Finished verified = run_attune(workspace, "verify runs/out --runs 0");
    INFO(verified.out << verified.err);
    CHECK(verified.exit_code == 0);
    CHECK_THAT(verified.out, ContainsSubstring("bit-equal"));
    std::string answers = workspace.read("runs/out/methods/words/seed-1-test.jsonl");
    const std::size_t at = answers.find("\"label\":\"card\"");
    REQUIRE(at != std::string::npos);
    answers.replace(at, 14, "\"label\":\"refund\"");
    workspace.write("runs/out/methods/words/seed-1-test.jsonl", answers);
    const Finished changed = run_attune(workspace, "verify runs/out");
    CHECK(changed.exit_code == 9);
    CHECK_THAT(changed.out, ContainsSubstring("methods[1].accuracy"));
  }
  SECTION("what is finished is read again") {
    const std::string head = workspace.read("runs/out/methods/head/candidate-1/seed-3/events.jsonl");
    for (const char* file :
         {"compare_results.json", "methods/words/seed-1-test.json", "methods/few-shot/seed-2-test.json"}) {
      REQUIRE(std::filesystem::remove(workspace.path(std::string("runs/out/") + file)));
    }
    const Finished resumed = run_attune(workspace, "compare run.json --json --quiet --resume");
    INFO(resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(timeless(Json::parse(resumed.out)) == timeless(results));
    CHECK(workspace.read("runs/out/methods/head/candidate-1/seed-3/events.jsonl") == head);
    CHECK(Json::parse(resumed.out)["opening"]["before"] == 0);  // the same opening

    CHECK(run_attune(workspace, "compare run.json --quiet --resume --set prompting.score=mean").exit_code == 10);
    workspace.write("test.jsonl", topic_rows(41, "test"));
    const Finished other = run_attune(workspace, "compare run.json --quiet --resume");
    CHECK(other.exit_code == 10);
    CHECK_THAT(other.err, ContainsSubstring("of other methods, rows, bases or prompts"));
  }
}

TEST_CASE("a comparison is verified by repeating trainings and asking again", "[app][shell][verify]") {
  const Workspace workspace;
  write_comparison(workspace, kAllKinds);
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  std::filesystem::create_directories(workspace.path("scratch"));
  const auto verify = [&](const std::string& more, int code = 0) {
    const Finished done = run_attune(workspace, "verify runs/out --json --quiet " + more, "TMPDIR=scratch");
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == code);
    CHECK(std::filesystem::is_empty(workspace.path("scratch")));
    return Json::parse(done.out);
  };
  const std::string candidate =
      method_named(Json::parse(compared.out), "head")["candidate"] == "training.learning_rate=0.02" ? "2" : "1";
  const std::string head = "runs/out/methods/head/candidate-" + candidate + "/seed-2";

  SECTION("as many as are asked for, those with a model first") {
    const Json one = verify("");
    CHECK_THAT(one["checked"].dump(), ContainsSubstring("1 training of 5 repeated"));
    CHECK_THAT(one["checked"].dump(), ContainsSubstring("to the bit: head, seed "));
    CHECK_THAT(one["checked"].dump(), ContainsSubstring("32 rows of 4 asked methods asked again"));
    CHECK_THAT(one["not_checked"].dump(), ContainsSubstring("the other 4 trainings"));
    const Json all = verify("--runs 9 --steps 3");
    CHECK_THAT(all["checked"].dump(), ContainsSubstring("5 trainings of 5 repeated"));
    CHECK_THAT(all["checked"].dump(), ContainsSubstring("12 rows of 4 asked methods"));
    CHECK(all["not_checked"].dump().find("--runs N") == std::string::npos);
    const Json none = verify("--runs 0");
    CHECK_THAT(none["not_checked"].dump(), ContainsSubstring("none was repeated"));
    CHECK(none["checked"].dump().find("repeated") == std::string::npos);
    CHECK(predictions_in(workspace, "runs/test_openings.jsonl").size() == 1);
  }
  SECTION("a training that now answers otherwise, and why") {
    std::vector<Json> rows = predictions_in(workspace, head + "-test.jsonl");
    rows[5]["scores"]["card"] = rows[5]["scores"]["card"].get<double>() + 1e-13;
    std::string lines;
    for (const Json& row : rows) lines += row.dump() + "\n";
    workspace.write(head + "-test.jsonl", lines);
    CHECK_THAT(verify("--runs 5", 9)["differences"].dump(),
               ContainsSubstring(
                   "head, seed 2: repeated, it answers 1 of 40 test rows in another way, the first is 'test5' (build, "
                   "processor and number of threads are those of then)"));
    Json manifest = Json::parse(workspace.read(head + "/run_manifest.json"));
    manifest["environment"]["threads"] = 64;
    workspace.write(head + "/run_manifest.json", manifest.dump());
    CHECK_THAT(verify("--runs 5", 9)["differences"].dump(),
               ContainsSubstring("environment.threads: recorded 64, now 1"));
  }
  SECTION("a prompt whose answer is another one now") {
    const std::string file = "runs/out/methods/few-shot/seed-3-test.jsonl";
    std::vector<Json> rows = predictions_in(workspace, file);
    rows[20]["scores"]["card"] = rows[20]["scores"]["card"].get<double>() * 1.01;
    std::string lines;
    for (const Json& row : rows) lines += row.dump() + "\n";
    workspace.write(file, lines);
    const std::string said = "few-shot, seed 3, row 'test20': another answer is given now";
    CHECK(verify("", 9)["differences"].dump().find(said) == std::string::npos);
    CHECK_THAT(verify("--steps 21", 9)["differences"].dump(), ContainsSubstring(said));
  }
  SECTION("rows that have changed: nothing is repeated") {
    workspace.write("train.jsonl", topic_rows(41, "learn"));
    const Json found = verify("", 9);
    CHECK_THAT(found["differences"].dump(), ContainsSubstring("files.train.jsonl"));
    CHECK_THAT(found["not_checked"].dump(), ContainsSubstring("trainings and prompts"));
  }
}

TEST_CASE("a verification that a signal stops leaves nothing behind", "[app][shell][verify]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "full"}, {"kind", "train"}});
  write_comparison(workspace, methods, {{"training", {{"num_train_epochs", 30}, {"per_device_train_batch_size", 2}}}});
  const Finished compared = run_attune(workspace, "compare run.json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  std::filesystem::create_directories(workspace.path("scratch"));
  const pid_t child = start_attune(workspace, "verify runs/out --json --quiet --runs 3 >found.json", "TMPDIR=scratch");
  const auto has_begun = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(workspace.path("scratch"))) {
      if (std::filesystem::exists(entry.path() / "run/events.jsonl")) return true;
    }
    return false;
  };
  for (int i = 0; i < 3000 && !has_begun(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 143);
  CHECK_THAT(workspace.read("found.json"), ContainsSubstring("what a signal kept from being repeated"));
  CHECK(std::filesystem::is_empty(workspace.path("scratch")));
}

TEST_CASE("a training that draws nothing runs once", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "means"}, {"kind", "train"}, {"set", {{"tuning.method", "prototype"}}}});
  write_comparison(workspace, methods);
  const Finished compared = run_attune(workspace, "compare run.json --json --quiet");
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  CHECK(method_named(Json::parse(compared.out), "means")["seeds"].size() == 1);
}

TEST_CASE("a comparison that a signal stops goes on where it was", "[app][shell]") {
  const Workspace workspace;
  Json methods = kBaselines;
  methods.push_back({{"name", "full"}, {"kind", "train"}});
  write_comparison(
      workspace, methods,
      {{"training", {{"num_train_epochs", 30}, {"per_device_train_batch_size", 2}, {"save_strategy", "epoch"}}}});
  const Finished whole = run_attune(workspace, "compare run.json --json --quiet --set output_dir=runs/whole");
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);

  const auto [signal, code] = GENERATE(std::pair(SIGINT, 130), std::pair(SIGTERM, 143));
  const pid_t child = start_attune(workspace, "compare run.json --quiet 2>stderr.txt");
  CHECK(appear({workspace.path("runs/out/methods/full/seed-2/checkpoints")}));
  kill(child, signal);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == code);
  CHECK_FALSE(std::filesystem::exists(workspace.path("runs/out/compare_results.json")));
  const std::string first = workspace.read("runs/out/methods/full/seed-1/events.jsonl");
  CHECK_THAT(workspace.read("stderr.txt"), ContainsSubstring("attune compare run.json --resume"));

  const Finished resumed = run_attune(workspace, "compare run.json --json --quiet --resume");
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(workspace.read("runs/out/methods/full/seed-1/events.jsonl") == first);
  CHECK(timeless(Json::parse(resumed.out)) == timeless(Json::parse(whole.out)));
}
