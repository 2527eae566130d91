// Settings that shape a training act when given through the program, and the run reports them.
#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/program.h"
#include "attune/files/storage.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;

/// Without dropout the tiny model learns its rows perfectly.
const std::string kNoDropout =
    R"("model": {"path": ")" + kTinyModel + R"(", "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0})";

/// A finished training: its results, events and weights.
struct Trained {
  Json results;
  std::vector<Json> events;
  std::string weights;

  std::vector<double> logged(const std::string& key) const {
    std::vector<double> values;
    for (const Json& event : events) {
      if (event["event"] == "log") values.push_back(event[key].get<double>());
    }
    return values;
  }
  const Json& event(const std::string& name) const {
    return *std::find_if(events.begin(), events.end(), [&](const Json& event) { return event["event"] == name; });
  }
  double train_loss() const { return results["train"]["train_loss"].get<double>(); }
};

/// Trains run.json under `settings` (of --set) into a folder of its own.
Trained train(const Workspace& workspace, const std::vector<std::string>& settings, const std::string& folder) {
  std::string arguments = "train run.json --quiet --json --set output_dir=" + folder;
  for (const std::string& setting : settings) arguments += " --set '" + setting + "'";
  const Finished finished = run_attune(workspace, arguments);
  INFO(arguments << "\n" << finished.err);
  REQUIRE(finished.exit_code == 0);
  Trained trained{.results = Json::parse(finished.out), .events = {}, .weights = ""};
  std::istringstream lines(workspace.read(folder + "/events.jsonl"));
  for (std::string line; std::getline(lines, line);) trained.events.push_back(Json::parse(line));
  trained.weights = attune::files::sha256_file(workspace.path(folder + "/model.safetensors"));
  return trained;
}

/// Rates of steps 0 … total-1 by Transformers' formulas, without warm-up.
std::vector<double> rates(double highest, int total, const std::function<double(double share)>& factor) {
  std::vector<double> values;
  for (int step = 0; step < total; ++step) values.push_back(highest * factor(static_cast<double>(step) / total));
  return values;
}

void check_close(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(1e-12));
}

}  // namespace

TEST_CASE("every schedule runs through the program with its formula", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);  // 48 rows, 8 a batch, 2 epochs: 12 steps, each logged
  const double pi = std::acos(-1.0), rate = 0.01;
  const auto logged = [&](const std::string& name, std::vector<std::string> settings) {
    settings.push_back("training.lr_scheduler_type=" + name);
    return train(workspace, settings, name).logged("learning_rate");
  };
  check_close(logged("linear", {}), rates(rate, 12, [](double t) { return 1 - t; }));
  check_close(logged("cosine", {}), rates(rate, 12, [&](double t) { return 0.5 * (1 + std::cos(pi * t)); }));
  check_close(logged("cosine_with_restarts", {"training.lr_scheduler_kwargs={\"num_cycles\":2}"}),
              rates(rate, 12, [&](double t) { return 0.5 * (1 + std::cos(pi * std::fmod(2 * t, 1.0))); }));
  check_close(logged("polynomial", {"training.lr_scheduler_kwargs={\"power\":2,\"lr_end\":0.001}"}),
              rates(rate, 12, [](double t) { return 0.1 + 0.9 * (1 - t) * (1 - t); }));
  check_close(logged("constant", {}), rates(rate, 12, [](double) { return 1; }));
  std::vector<double> warm = rates(rate, 12, [](double) { return 1; });
  for (int step = 0; step < 3; ++step) warm[static_cast<std::size_t>(step)] = rate * step / 3;
  check_close(logged("constant_with_warmup", {"training.warmup_steps=0.25"}), warm);
}

TEST_CASE("batches of 4 accumulated twice train as batches of 8", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Trained whole = train(workspace, {}, "whole");
  const Trained parts =
      train(workspace, {"training.per_device_train_batch_size=4", "training.gradient_accumulation_steps=2"}, "parts");
  CHECK(parts.results["train"]["train_steps"] == whole.results["train"]["train_steps"]);
  const std::vector<double> expected = whole.logged("loss"), found = parts.logged("loss");
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(2e-4));
}

TEST_CASE("optimiser, order and dropout settings change what is learned, and nothing else does",
          "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 1)");
  std::vector<std::string> seen = {train(workspace, {}, "plain").weights};
  CHECK(train(workspace, {"training.per_device_eval_batch_size=3", "training.logging_steps=5"}, "again").weights ==
        seen[0]);
  const std::vector<std::vector<std::string>> cases = {{"training.optim=sgd"},
                                                       {"training.optim=sgd", "training.sgd_momentum=0.9"},
                                                       {"training.group_by_length=true"},
                                                       {"training.data_seed=9"},
                                                       {"training.weight_decay=0.3"},
                                                       {"training.max_grad_norm=0.01"},
                                                       {"training.label_smoothing_factor=0.1"},
                                                       {"training.class_weights={\"card\":4}"},
                                                       {"training.layerwise_lr_decay=0.5"},
                                                       {"training.head_learning_rate=0.1"},
                                                       {"model.hidden_dropout_prob=0"},
                                                       {"tuning.method=head"}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].back());
    const std::string weights = train(workspace, cases[i], "case-" + std::to_string(i)).weights;
    CHECK(std::find(seen.begin(), seen.end(), weights) == seen.end());
    seen.push_back(weights);
  }
}

TEST_CASE("label smoothing keeps the loss up, as its definition says", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 24)", kNoDropout);
  const Trained plain = train(workspace, {}, "plain");
  const Trained smoothed = train(workspace, {"training.label_smoothing_factor=0.3"}, "smoothed");
  const double floor = -(0.8 * std::log(0.8) + 0.2 * std::log(0.1));  // entropy of the target 0.8, 0.1, 0.1
  CHECK(plain.results["validation"]["metrics"]["loss"].get<double>() < floor);
  CHECK(smoothed.results["validation"]["metrics"]["loss"].get<double>() > floor);
  CHECK(smoothed.results["validation"]["metrics"]["accuracy"].get<double>() > 0.9);
}

TEST_CASE("balanced class weights are those of the training rows, and are reported", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  std::string rows;  // 32 card, 12 refund, 4 address
  for (int i = 0; i < 48; ++i) {
    const std::string label = i < 32 ? "card" : i < 44 ? "refund" : "address";
    rows += R"({"text": "my )" + label + " " + std::to_string(i) + R"(", "label": ")" + label + "\"}\n";
  }
  workspace.write("train.jsonl", rows);
  const Trained balanced = train(workspace, {"training.class_weights=balanced"}, "out");
  CHECK(balanced.results["train"]["class_weights"] ==
        Json{{"address", 48.0 / (3 * 4)}, {"card", 48.0 / (3 * 32)}, {"refund", 48.0 / (3 * 12)}});
  CHECK(Json::parse(workspace.read("out/train_detail.json"))["class_weights"] ==
        balanced.results["train"]["class_weights"]);
  CHECK(workspace.read("out/report.html").find("Weights of the classes in the loss") != std::string::npos);
}

TEST_CASE("settings for one class a row are refused when the rows turn out to have several", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  std::string rows;
  for (int i = 0; i < 12; ++i)
    rows += R"({"text": "my card", "label": ["card", "lost"]})"
            "\n"
            R"({"text": "my refund", "label": []})"
            "\n";
  workspace.write("train.jsonl", rows);
  workspace.write("valid.jsonl", rows);
  for (const char* setting :
       {"training.class_weights=balanced", "training.label_smoothing_factor=0.1", "model.num_labels=3"}) {
    const Finished refused = run_attune(workspace, std::string("train run.json --quiet --set ") + setting);
    INFO(setting << refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(refused.err.find(std::string(setting).substr(0, std::string(setting).find('='))) != std::string::npos);
  }
  const Trained trained = train(workspace, {}, "out");
  CHECK(trained.results["validation"]["metrics"]["per_class"].contains("card"));
}

TEST_CASE("the positive label is the second of two, and a common one is pointed out", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  std::string rows;
  for (int i = 0; i < 48; ++i) {
    const std::string label = i % 12 == 0 ? "fraud" : "ok";
    rows += R"({"text": "my )" + std::string(i % 12 == 0 ? "refund " : "card ") + std::to_string(i) +
            R"(", "label": ")" + label + "\"}\n";
  }
  workspace.write("train.jsonl", rows);
  workspace.write("valid.jsonl", rows);
  const Finished warned = run_attune(workspace, "train run.json --quiet --dry-run");
  CHECK(warned.err.find("'ok' is taken for the positive label, and 92 % of the training rows have it") !=
        std::string::npos);
  const Finished quiet = run_attune(workspace, "train run.json --quiet --dry-run --set data.positive_label=fraud");
  CHECK(quiet.err.find("positive label") == std::string::npos);
  CHECK(run_attune(workspace, "train run.json --quiet --set data.positive_label=fraudd").exit_code == 2);

  const Trained trained = train(workspace, {"data.positive_label=fraud"}, "out");
  CHECK(trained.results["validation"]["metrics"]["thresholds"]["positive"] == "fraud");
  CHECK(Json::parse(workspace.read("out/config.json"))["id2label"] == Json{{"0", "ok"}, {"1", "fraud"}});
  const Json& lowest = trained.results["validation"]["metrics"]["thresholds"]["points"][0];
  CHECK(lowest["recall"] == 1.0);
  CHECK(lowest["precision"].get<double>() >= 4.0 / 48);
}

TEST_CASE("layer-wise and head rates are told for each group of parameters", "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Trained trained = train(
      workspace, {"training.layerwise_lr_decay=0.5", "training.head_learning_rate=0.04", "training.weight_decay=0.1"},
      "out");
  std::vector<double> found;
  for (const Json& group : trained.event("train_begin")["groups"])
    found.push_back(group["learning_rate"].get<double>());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  check_close(found, {0.00125, 0.0025, 0.005, 0.04});  // embeddings, layers 0 and 1, the head with its pooler
  CHECK(workspace.read("out/report.html").find("Learning rates by part") != std::string::npos);
}

TEST_CASE("a template, compressed tables and bad rows that are skipped go through the program",
          "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  std::string table = "who,what,label\n";
  for (int i = 0; i < 24; ++i)
    table += std::string(i % 2 == 0 ? "my,card is lost,card" : "where is,my refund,refund") + "\n";
  workspace.write("train.csv", table + "my,card\n");  // a cell is missing
  workspace.write("valid.csv", table);
  REQUIRE(std::system(("gzip " + workspace.path("train.csv")).c_str()) == 0);
  const std::vector<std::string> settings = {"data.train=train.csv.gz", "data.validation=valid.csv",
                                             "data.template={{who}} {{what}}"};
  std::string arguments = "train run.json --quiet";
  for (const std::string& setting : settings) arguments += " --set '" + setting + "'";
  const Finished refused = run_attune(workspace, arguments);
  CHECK(refused.exit_code == 4);
  CHECK(refused.err.find("train.csv.gz:26") != std::string::npos);

  std::vector<std::string> skipping = settings;
  skipping.emplace_back("data.on_bad_row=skip");
  skipping.emplace_back("training.num_train_epochs=8");
  const Trained trained = train(workspace, skipping, "out");
  CHECK(trained.results["data"]["splits"]["train"]["rows"] == 24);
  CHECK(trained.results["data"]["splits"]["train"]["skipped"] == 1);
  CHECK(trained.results["data"]["splits"]["train"]["bad_rows"][0].get<std::string>().find("train.csv.gz:26") !=
        std::string::npos);
  CHECK(trained.results["validation"]["metrics"]["accuracy"] == 1.0);
}

TEST_CASE("a tuned folder is a base: the same labels keep its head, new_head and other labels start anew",
          "[app][shell][settings]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 24)", kNoDropout);
  const Trained first = train(workspace, {}, "first");
  const auto accuracy = first.results["validation"]["metrics"]["accuracy"].get<double>();
  REQUIRE(accuracy > 0.9);
  const std::vector<std::string> on = {"model.path=first", "training.eval_on_start=true",
                                       "training.num_train_epochs=1"};
  const auto continued = [&](std::vector<std::string> settings, const std::string& folder) {
    settings.insert(settings.end(), on.begin(), on.end());
    return train(workspace, settings, folder);
  };
  const Trained kept = continued({}, "kept");
  CHECK(kept.event("model")["newly_initialised"].empty());
  CHECK(kept.event("evaluate")["eval_accuracy"] == accuracy);
  CHECK(kept.event("evaluate")["eval_loss"].get<double>() ==
        Approx(first.results["validation"]["metrics"]["loss"].get<double>()));

  const Trained fresh = continued({"model.new_head=true"}, "fresh");
  CHECK(fresh.event("model")["newly_initialised"] == Json({"classifier.weight", "classifier.bias"}));
  CHECK(fresh.event("evaluate")["eval_accuracy"].get<double>() < accuracy);

  SECTION("other labels") {
    std::string other = workspace.read("train.jsonl");
    for (std::size_t at; (at = other.find("\"card\"")) != std::string::npos;) other.replace(at, 6, "\"bank card\"");
    workspace.write("other.jsonl", other);
    CHECK(continued({"data.train=other.jsonl", "data.validation=[]", "data.val_size=6"}, "other")
              .event("model")["newly_initialised"]
              .size() == 2);
  }
  SECTION("the same labels in another order, as other trainers write them") {
    Json config = Json::parse(workspace.read("first/config.json"));
    config["id2label"] = {{"0", "refund"}, {"1", "card"}, {"2", "address"}};
    config["label2id"] = {{"refund", 0}, {"card", 1}, {"address", 2}};
    workspace.write("first/config.json", config.dump());
    const Trained reordered = continued({}, "reordered");
    CHECK(reordered.event("model")["newly_initialised"].empty());
    CHECK(Json::parse(workspace.read("reordered/config.json"))["id2label"]["0"] == "refund");
  }
}
