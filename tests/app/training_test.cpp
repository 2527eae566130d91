// Whole runs of the built program on a tiny model: repeatable, interruptible, verifiable.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "app/program.h"
#include "attune/base/random.h"
#include "attune/files/storage.h"
#include "catch.h"

namespace {

using attune::RandomKey;
using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Starts a training and sends `signal` after `milliseconds`; the exit status as waitpid gives it.
int interrupt(const Workspace& workspace, const std::string& arguments, int signal, int milliseconds) {
  const pid_t child = attune::testing::start_attune(workspace, arguments);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  kill(child, signal);
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

/// Long enough to be interrupted somewhere inside, short enough for a test.
constexpr const char* kLongRun = R"("num_train_epochs": 12, "per_device_train_batch_size": 2, "save_strategy": "steps", "save_steps": 5)";

}  // namespace

TEST_CASE("training writes a folder that predict and evaluate open", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 8)");
  const Finished trained = run_attune(workspace, "train run.json --quiet");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  CHECK(trained.out.find("accuracy") != std::string::npos);
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.resolved.json", "run_manifest.json",
                           "events.jsonl", "train_results.json", "eval_results.json", "all_results.json", "trainer_state.json", "eval_predictions.jsonl",
                           "report.html", "README.md"}) {
    INFO(name);
    CHECK(fs::exists(workspace.path(std::string("out/") + name)));
  }
  CHECK_FALSE(fs::exists(workspace.path("out/predictions.jsonl")));  // there are no test rows
  const Finished predicted = run_attune(workspace, "predict out --logits", "printf 'my card is lost\\nwhere is my refund please\\n' |");
  REQUIRE(predicted.exit_code == 0);
  const Json line = Json::parse(predicted.out.substr(0, predicted.out.find('\n')));
  CHECK(line["label"] == "card");
  CHECK(line["scores"].size() == 3);
  CHECK(line["logits"].size() == 3);

  CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'accuracy>=0.5'").exit_code == 0);
  CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'accuracy>1'").exit_code == 20);
  CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'acuracy>=1'").exit_code == 2);
}

TEST_CASE("early stopping ends a run that no longer improves, with the best model", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 40)", R"("early_stopping": {"patience": 2})");
  const Finished trained = run_attune(workspace, "train run.json --quiet --json --set training.learning_rate=0.05");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json results = Json::parse(trained.out);
  CHECK(results["stopped_by"] == "early_stopping");
  const Json state = Json::parse(workspace.read("out/trainer_state.json"));
  CHECK(state["best_global_step"].get<int>() < state["global_step"].get<int>());
  CHECK(results["validation"]["metrics"]["loss"].get<double>() == state["best_metric"].get<double>());
}

TEST_CASE("two runs with one thread give the same weights, another seed gives others", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=again").exit_code == 0);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=other --set seeds=[2]").exit_code == 0);
  CHECK(weights(workspace) == weights(workspace, "again"));
  CHECK(weights(workspace) != weights(workspace, "other"));
}

TEST_CASE("a folder that no run made takes rows as long as its positions and its tokenizer allow", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("max_steps": 1)");
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  fs::remove(workspace.path("out/config.resolved.json"));
  std::string text;
  for (int i = 0; i < 40; ++i) text += "my card is lost ";
  workspace.write("long.jsonl", Json({{"text", text}}).dump() + "\n");
  Json settings = Json::parse(workspace.read("out/tokenizer_config.json"));
  const auto predicted = [&](const std::string& overrides) {
    workspace.write("out/tokenizer_config.json", settings.dump());
    const Finished finished = run_attune(workspace, "predict out long.jsonl --logits --quiet" + overrides);
    INFO(finished.err);
    REQUIRE(finished.exit_code == 0);
    return finished.out;
  };
  const std::string at_64 = predicted(" --set data.max_length=64"), at_10 = predicted(" --set data.max_length=10");
  REQUIRE(at_64 != at_10);
  settings.erase("model_max_length");
  CHECK(predicted("") == at_64);
  settings["model_max_length"] = 10;
  CHECK(predicted("") == at_10);
  CHECK(predicted(" --set data.max_length=64") == at_64);
}

TEST_CASE("a run killed at random moments and resumed ends with the same bits", "[app][shell][slow]") {
  const Workspace workspace;
  write_tiny_job(workspace, kLongRun);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=whole").exit_code == 0);
  double whole = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  const std::string expected = weights(workspace, "whole");

  const RandomKey moments(7, "kill");
  int killed = 0;
  for (int round = 0; killed < 20 && round < 60; ++round) {
    const std::string folder = "run-" + std::to_string(round);
    const std::string arguments = "train run.json --quiet --set output_dir=" + folder;
    const int status = interrupt(workspace, arguments, SIGKILL, static_cast<int>(moments.uniform(round) * whole));
    if (!WIFSIGNALED(status)) {  // it had ended already; runs may take less time than the first did
      whole *= 0.9;
      continue;
    }
    ++killed;
    const Finished resumed = run_attune(workspace, arguments + " --resume");
    INFO("round " << round << "\n" << resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(weights(workspace, folder) == expected);
    fs::remove_all(workspace.path(folder));
  }
  CHECK(killed == 20);
}

TEST_CASE("SIGTERM saves, exits with 143, and the resumed run ends with the same bits", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 60, "per_device_train_batch_size": 2)");
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=whole").exit_code == 0);
  int status = 0;
  for (int wait = 600; wait < 5000; wait += 200) {
    fs::remove_all(workspace.path("out"));
    status = interrupt(workspace, "train run.json --quiet", SIGTERM, wait);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 143 && fs::exists(workspace.path("out/checkpoints"))) break;
  }
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 143);
  CHECK_FALSE(fs::exists(workspace.path("out/model.safetensors")));
  REQUIRE(run_attune(workspace, "train run.json --quiet --resume").exit_code == 0);
  CHECK(weights(workspace) == weights(workspace, "whole"));
}

TEST_CASE("the command that goes on with a stopped run works where the run overwrites another", "[app][shell]") {
  const Workspace workspace;
  const std::string length = R"("num_train_epochs": 60, "per_device_train_batch_size": 2)";
  const bool in_file = GENERATE(false, true);
  write_tiny_job(workspace, length, in_file ? R"("overwrite_output_dir": true)" : "");
  const std::string set = in_file ? " --set overwrite_output_dir=true" : " --set training.seed=1 --set overwrite_output_dir=true";
  std::string command;
  for (int wait = 600; wait < 5000 && command.empty(); wait += 200) {
    interrupt(workspace, "train run.json --quiet" + set + " 2>stderr.txt", SIGTERM, wait);
    const std::string said = workspace.read("stderr.txt"), before = "go on with: attune ";
    if (const std::size_t at = said.find(before); at != std::string::npos) command = said.substr(at + before.size());
  }
  REQUIRE(command == (in_file ? "train run.json --set overwrite_output_dir=false --resume\n" : "train run.json --set training.seed=1 --resume\n"));
  command.pop_back();
  const Finished resumed = run_attune(workspace, command);
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
}

TEST_CASE("a resumption of a changed job is refused with what changed", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, kLongRun);
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  const Finished refused = run_attune(workspace, "train run.json --quiet --resume --set training.learning_rate=0.02");
  CHECK(refused.exit_code == 10);
  CHECK(refused.err.find("learning_rate") != std::string::npos);
}

TEST_CASE("verify says bit-equal, and names a changed weight, data byte and setting", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  const Finished equal = run_attune(workspace, "verify out --quiet");
  INFO(equal.out << equal.err);
  CHECK(equal.exit_code == 0);
  CHECK(equal.out.find("bit-equal") != std::string::npos);

  SECTION("one weight") {
    std::string model = workspace.read("out/model.safetensors");
    model.back() = static_cast<char>(model.back() ^ 1);
    workspace.write("out/model.safetensors", model);
    const Finished changed = run_attune(workspace, "verify out --quiet --steps 1");
    CHECK(changed.exit_code == 9);
    CHECK(changed.out.find("tensor ") != std::string::npos);
  }
  SECTION("one data byte") {
    std::string rows = workspace.read("train.jsonl");
    rows.replace(rows.find("lost"), 4, "last");
    workspace.write("train.jsonl", rows);
    const Finished changed = run_attune(workspace, "verify out --quiet");
    CHECK(changed.exit_code == 9);
    CHECK(changed.out.find("train.jsonl") != std::string::npos);
    CHECK(changed.out.find("first difference at step") != std::string::npos);
  }
  SECTION("a data file that is gone, or cannot be read any more") {
    const bool is_gone = GENERATE(true, false);
    if (is_gone) fs::remove(workspace.path("train.jsonl"));
    if (!is_gone) workspace.write("train.jsonl", "{\"text\": \"no more\n");
    const Finished changed = run_attune(workspace, "verify out --quiet");
    INFO(changed.out << changed.err);
    CHECK(changed.exit_code == 9);
    CHECK(changed.out.find("inputs.data.train.jsonl: recorded \"") != std::string::npos);
    CHECK((changed.out.find("now the file is missing") != std::string::npos) == is_gone);
    CHECK(changed.out.find("the data has changed since the run and can no longer be read: train.jsonl") != std::string::npos);
    CHECK(changed.out.find("not replayed: all trainings") != std::string::npos);
  }
  SECTION("one setting") {
    std::string config = workspace.read("out/config.resolved.json");
    const std::size_t at = config.find("\"weight_decay\": 0");
    REQUIRE(at != std::string::npos);
    config.replace(at, 17, "\"weight_decay\": 0.5");
    workspace.write("out/config.resolved.json", config);
    const Finished changed = run_attune(workspace, "verify out --quiet");
    INFO(changed.out << changed.err);
    CHECK(changed.exit_code == 9);
    CHECK(changed.out.find("weight_decay") != std::string::npos);
  }
}

TEST_CASE("verify names a base that is gone or cannot be opened any more", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  fs::copy(attune::testing::kTinyModel, workspace.path("base"), fs::copy_options::recursive);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set model.path=base").exit_code == 0);
  std::string found;
  SECTION("the folder") {
    fs::remove_all(workspace.path("base"));
    found = ", now the folder base is missing";
  }
  SECTION("its weights") {
    fs::remove(workspace.path("base/model.safetensors"));
    found = ", now base/model.safetensors is missing";
  }
  SECTION("its configuration") {
    workspace.write("base/config.json", "{");
    found = "inputs.base.config.json: recorded \"";
  }
  SECTION("its tokenizer") {
    fs::remove(workspace.path("base/tokenizer.json"));
    found = ", now it cannot be opened: base: ";
  }
  const Finished changed = run_attune(workspace, "verify out --quiet");
  INFO(changed.out << changed.err);
  CHECK(changed.exit_code == 9);
  CHECK(changed.out.find(found) != std::string::npos);
  CHECK(changed.out.find("the base has changed since the run and can no longer be opened: base") != std::string::npos);
  CHECK(changed.out.find("not replayed: all trainings") != std::string::npos);
  CHECK(changed.err.find("error: ") == std::string::npos);
}

TEST_CASE("cross-validation predicts every row once and resumes inside a fold", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 4)", R"("cross_validation": {"folds": 3, "inner_validation": 0.2, "refit": true})");
  const Finished whole = run_attune(workspace, "train run.json --quiet");
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  const std::string oof = workspace.read("out/cv/oof_predictions.jsonl");
  CHECK(std::count(oof.begin(), oof.end(), '\n') == 48);
  const Json cv = Json::parse(workspace.read("out/cv/cv_results.json"));
  CHECK(cv["folds"].size() == 3);
  CHECK(cv["interval_method"] == "Nadeau–Bengio corrected t over 3 folds, 95 %, cut at what a metric can be");
  for (const char* share : {"accuracy", "f1_macro", "ece"}) {
    CHECK(cv["interval"][share][0].get<double>() >= 0);
    CHECK(cv["interval"][share][1].get<double>() <= 1);
  }
  CHECK(cv["interval"]["loss"][0].get<double>() >= 0);

  fs::remove(workspace.path("out/cv/fold-2/fold_result.json"));  // as if the run had died in fold 2
  fs::remove(workspace.path("out/cv/fold-3/fold_result.json"));
  REQUIRE(run_attune(workspace, "train run.json --quiet --resume").exit_code == 0);
  CHECK(workspace.read("out/cv/oof_predictions.jsonl") == oof);
}

TEST_CASE("test rows and validation rows have predictions of their own", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  workspace.write("test.jsonl", tiny_rows(9));
  REQUIRE(run_attune(workspace, "train run.json --quiet --set data.test=test.jsonl").exit_code == 0);
  const auto lines = [&](const std::string& file) {
    const std::string text = workspace.read(file);
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines("out/predictions.jsonl") == 9);
  CHECK(lines("out/eval_predictions.jsonl") == 12);
}

TEST_CASE("folds by time predict the newer blocks, and verify repeats a cross-validation without refit", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 2)", R"("cross_validation": {"folds": 3, "inner_validation": 0.2})");
  std::string rows;
  std::istringstream plain(tiny_rows());
  int day = 0;
  for (std::string line; std::getline(plain, line); ++day) {
    Json row = Json::parse(line);
    row["day"] = 47 - day;  // the file runs from new to old
    rows += row.dump() + "\n";
  }
  workspace.write("train.jsonl", rows);
  const Finished trained = run_attune(workspace, "train run.json --quiet --set data.columns.time=day");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json cv = Json::parse(workspace.read("out/cv/cv_results.json"));
  for (std::size_t fold = 0; fold < 3; ++fold) CHECK(cv["folds"][fold]["rows"]["held_out"] == 12);
  CHECK(cv["folds"][0]["rows"]["train"].get<int>() + cv["folds"][0]["rows"]["inner_validation"].get<int>() == 12);
  std::istringstream oof(workspace.read("out/cv/oof_predictions.jsonl"));
  int predicted = 0;
  for (std::string line; std::getline(oof, line); ++predicted) {
    const Json row = Json::parse(line);
    CHECK(row["fold"].get<int>() == (35 - row["row"].get<int>()) / 12 + 1);
  }
  CHECK(predicted == 36);  // the oldest 12 rows are never held out

  const Finished equal = run_attune(workspace, "verify out --quiet");
  INFO(equal.out << equal.err);
  CHECK(equal.exit_code == 0);
  CHECK(equal.out.find("bit-equal") != std::string::npos);
  CHECK(equal.out.find("fold-3: ") != std::string::npos);
  const Finished some = run_attune(workspace, "verify out --quiet --steps 1");
  CHECK(some.exit_code == 0);
  CHECK(some.out.find("fold-1: 1 of ") != std::string::npos);
  CHECK(some.out.find("not replayed: the steps behind --steps") != std::string::npos);

  SECTION("a changed prediction file is named") {
    std::string text = workspace.read("out/cv/oof_predictions.jsonl");
    text.replace(text.find("\"fold\":1"), 8, "\"fold\":2");
    workspace.write("out/cv/oof_predictions.jsonl", text);
    const Finished changed = run_attune(workspace, "verify out --quiet --steps 1");
    CHECK(changed.exit_code == 9);
    CHECK(changed.out.find("cv/oof_predictions.jsonl: the file has other bytes") != std::string::npos);
  }
  SECTION("other held-out predictions are noticed although every step is equal") {
    Json manifest = Json::parse(workspace.read("out/run_manifest.json"));
    manifest["cross_validation"]["folds"][1]["predictions_sha256"] = std::string(64, '0');
    workspace.write("out/run_manifest.json", manifest.dump());
    const Finished changed = run_attune(workspace, "verify out --quiet");
    CHECK(changed.out.find("within tolerance") != std::string::npos);
    CHECK(changed.out.find("the predictions of the held-out rows are others") != std::string::npos);
  }
  SECTION("one data byte") {
    rows.replace(rows.find("lost"), 4, "last");
    workspace.write("train.jsonl", rows);
    const Finished changed = run_attune(workspace, "verify out --quiet");
    CHECK(changed.exit_code == 9);
    CHECK(changed.out.find("first difference at step") != std::string::npos);
  }
}

TEST_CASE("an unknown metric is refused before training, with the nearest name", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const auto refused = [&](const std::string& setting) {
    const Finished finished = run_attune(workspace, "train run.json --quiet --set " + setting);
    CHECK(finished.exit_code == 2);
    CHECK_FALSE(fs::exists(workspace.path("out")));
    return finished.err;
  };
  CHECK(refused("early_stopping.metric=eval_acuracy").find("did you mean 'eval_accuracy'?") != std::string::npos);
  const std::string three_labels = refused("training.metric_for_best_model=eval_f1_positive");  // a metric of two classes
  CHECK(three_labels.find("these rows have no metric 'eval_f1_positive' (training.metric_for_best_model)") != std::string::npos);
  CHECK(three_labels.find("eval_accuracy, eval_f1, eval_f1_macro") != std::string::npos);
  CHECK(run_attune(workspace, "train run.json --quiet --set training.metric_for_best_model=f1_macro").exit_code == 0);
}

TEST_CASE("events tell the model, the phases and their seconds", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Finished trained = run_attune(workspace, "train run.json --progress json");
  REQUIRE(trained.exit_code == 0);
  std::istringstream kept(workspace.read("out/events.jsonl"));
  std::vector<std::string> kinds;
  Json model, last;
  double seconds = 0;
  for (std::string line; std::getline(kept, line);) {
    last = Json::parse(line);
    kinds.push_back(last["event"]);
    if (last["event"] == "model") model = last;
  }
  REQUIRE(kinds.size() > 4);
  CHECK(kinds.front() == "run_begin");
  CHECK(kinds.back() == "run_end");
  CHECK(std::find(kinds.begin(), kinds.end(), "data") != kinds.end());
  CHECK(std::find(kinds.begin(), kinds.end(), "step") == kinds.end());
  std::int64_t parameters = 0;
  for (const Json& part : model["parts"]) parameters += part["parameters"].get<std::int64_t>();
  CHECK(model["parameters"] == parameters);
  CHECK(model["trained"] == parameters);
  CHECK(model["newly_initialised"].size() == 2);
  for (const char* phase : {"reading", "tokenising", "hashing", "loading", "training", "evaluating", "saving"}) {
    INFO(phase);
    REQUIRE(last["phases"].contains(phase));
    seconds += last["phases"][phase].get<double>();
  }
  CHECK(seconds <= last["seconds"].get<double>());
  std::istringstream shown(trained.err);
  int steps = 0;
  for (std::string line; std::getline(shown, line);) steps += Json::parse(line)["event"] == "step" ? 1 : 0;  // nothing but JSON
  CHECK(steps == 12);
}

TEST_CASE("several seeds give mean and standard deviation and keep one model", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Finished trained = run_attune(workspace, "train run.json --quiet --json --set seeds=[1,2,3]");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json results = Json::parse(trained.out);
  CHECK(results["seeds"].size() == 3);
  CHECK(results["statistics"]["validation"]["loss"]["sd"].get<double>() > 0);
  CHECK(weights(workspace) == weights(workspace, "out/seed-" + std::to_string(results["kept_seed"].get<int>())));
  const double mean = results["statistics"]["validation"]["loss"]["mean"].get<double>();
  double sum = 0;
  for (const Json& seed : results["seeds"]) {
    sum += seed["results"]["validation"]["metrics"]["loss"].get<double>();
    CHECK(seed["results"]["validation"]["metrics"]["loss"].get<double>() >= results["validation"]["metrics"]["loss"].get<double>());
  }
  CHECK(mean == Approx(sum / 3));
  const Finished verified = run_attune(workspace, "verify out --quiet");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find("not replayed: the other seeds") != std::string::npos);
  for (const char* seed : {"out/seed-1", "out/seed-2", "out/seed-3"}) CHECK(run_attune(workspace, std::string("verify ") + seed + " --quiet").exit_code == 0);
}

TEST_CASE("tokenize prints ids, tokens and offsets", "[app][shell]") {
  const Workspace workspace;
  const Finished plain = run_attune(workspace, "tokenize '" + attune::testing::kTinyModel + "'", "printf 'My card!\\n' |");
  REQUIRE(plain.exit_code == 0);
  const Json line = Json::parse(plain.out);
  CHECK(line["tokens"] == Json({"[CLS]", "my", "card", "!", "[SEP]"}));
  CHECK(line["offsets"][2] == Json({3, 7}));
  const Finished bare = run_attune(workspace, "tokenize --no-special-tokens '" + attune::testing::kTinyModel + "'", "printf 'My card!\\n' |");
  CHECK(Json::parse(bare.out)["ids"].size() == 3);
}

TEST_CASE("a dry run says what would be done and writes nothing", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Finished dry = run_attune(workspace, "train run.json --quiet --dry-run");
  CHECK(dry.exit_code == 0);
  CHECK(dry.out.find("trains ") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("out")));
}
