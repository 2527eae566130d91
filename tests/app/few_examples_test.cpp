// Few-example tuning with the built program: losses, vectors and probabilities of SetFit, folders that open again, errors.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "attune/models/model.h"
#include "attune/tensor/weights.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json setfit_goldens() { return Json::parse(std::ifstream(ATTUNE_SOURCE_DIR "/tests/goldens/vectors/setfit.json")); }

std::string json_lines(const Json& rows) {
  std::string lines;
  for (const Json& row : rows) lines += row.dump() + "\n";
  return lines;
}

/// The tiny BERT as a folder of the workspace, with a module Normalize where that is wanted.
void write_body(const Workspace& workspace, bool normalize) {
  fs::copy(attune::testing::kTinyModel, workspace.path("body"), fs::copy_options::recursive);
  if (!normalize) return;
  workspace.write("body/1_Pooling/config.json", R"({"pooling_mode": "mean"})");
  workspace.write("body/modules.json", R"([{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": "1_Pooling"},
                                           {"type": "a.Normalize", "path": "2_Normalize"}])");
}

/// The configuration of a golden run.
std::string golden_config(const Json& golden, const Json& run) {
  const Json& settings = run["settings"];
  Json contrastive = Json::object(), training = {{"learning_rate", golden["learning_rate"]}, {"logging_steps", 1}, {"save_strategy", "no"}};
  for (const char* key : {"sampling_strategy", "num_iterations"}) {
    if (settings.contains(key)) contrastive[key] = settings[key];
  }
  if (settings.contains("batch_size")) training["per_device_train_batch_size"] = settings["batch_size"];
  if (settings.contains("num_epochs")) training["num_train_epochs"] = settings["num_epochs"];
  if (settings.contains("max_steps")) training["max_steps"] = settings["max_steps"];
  return Json({{"model", {{"path", "body"}, {"hidden_dropout_prob", 0.0}, {"attention_probs_dropout_prob", 0.0}}},
               {"data", {{"train", "train.jsonl"}, {"max_length", 64}}},
               {"tuning", {{"method", "contrastive"}, {"contrastive", contrastive}}},
               {"training", training},
               {"seeds", {settings.value("seed", 42)}},
               {"threads", 1},
               {"output_dir", "out"}})
      .dump();
}

Json trajectory_of(const Workspace& workspace, const std::string& folder) {
  return Json::parse(workspace.read(folder + "/run_manifest.json"))["trajectory"];
}

void check_trajectory(const Workspace& workspace, const Json& run) {
  const Json trajectory = trajectory_of(workspace, "out");
  REQUIRE(trajectory.size() == run["losses"].size());
  for (std::size_t i = 0; i < trajectory.size(); ++i) {
    INFO("step " << i + 1);
    CHECK(trajectory[i]["loss"].get<double>() == Approx(run["losses"][i].get<double>()).epsilon(1e-4).margin(1e-6));
    CHECK(trajectory[i]["grad_norm"].get<double>() == Approx(run["grad_norms"][i].get<double>()).epsilon(1e-3).margin(1e-6));
  }
}

void check_probabilities(const Workspace& workspace, const Json& golden, const Json& run) {
  std::string texts;
  for (const Json& text : golden["asked"]) texts += text.get<std::string>() + "\n";
  workspace.write("asked.txt", texts);
  const Finished predicted = run_attune(workspace, "predict out --quiet <asked.txt");
  INFO(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  std::istringstream lines(predicted.out);
  std::size_t row = 0;
  for (std::string line; std::getline(lines, line); ++row) {
    const Json scores = Json::parse(line)["scores"];
    std::size_t label = 0;
    for (const char* name : {"address", "card", "refund"}) {
      CHECK(scores[name].get<double>() == Approx(run["probabilities"][row][label++].get<double>()).margin(2e-4));
    }
  }
  CHECK(row == golden["asked"].size());
}

const std::string kContrastive = R"("tuning": {"method": "contrastive", "contrastive": {"num_iterations": 1}})";

Json results_of(const Finished& finished) {
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return Json::parse(finished.out);
}

}  // namespace

TEST_CASE("contrastive training has SetFit's losses, gradients and probabilities", "[app][shell][golden][few]") {
  const Json golden = setfit_goldens();
  for (const Json& run : golden["runs"]) {
    INFO(run["settings"].dump());
    const Workspace workspace;
    write_body(workspace, run["normalize"].get<bool>());
    workspace.write("train.jsonl", json_lines(golden["rows"]));
    workspace.write("run.json", golden_config(golden, run));
    const Finished trained = run_attune(workspace, "train run.json --quiet");
    INFO(trained.err);
    REQUIRE(trained.exit_code == 0);
    check_trajectory(workspace, run);
    check_probabilities(workspace, golden, run);
  }
}

TEST_CASE("the number of pairs and of steps is said before the start", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kContrastive);
  const Finished plan = run_attune(workspace, "train run.json --dry-run --quiet");
  INFO(plan.err);
  CHECK(plan.out.find("96 pairs an epoch (48 of one class from 408, 48 of two from 768), 24 steps") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("out")));
  const Finished trained = run_attune(workspace, "train run.json --progress plain");
  REQUIRE(trained.exit_code == 0);
  CHECK(trained.err.find("96 pairs an epoch") != std::string::npos);
  CHECK(Json::parse(workspace.read("out/train_results.json"))["train_samples"] == 96);
  CHECK(workspace.read("out/report.html").find("Trained on pairs of rows: 96 pairs") != std::string::npos);
}

TEST_CASE("a contrastive run writes a folder that predict and evaluate open, with validation scored once", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kContrastive);
  const Json results = results_of(run_attune(workspace, "train run.json --quiet --json"));
  CHECK(results["validation"]["metrics"]["accuracy"].get<double>() > 0.8);
  for (const char* name : {"model.safetensors", "classifier.safetensors", "config_setfit.json", "modules.json", "1_Pooling/config.json",
                           "sentence_bert_config.json", "tokenizer.json"}) {
    INFO(name);
    CHECK(fs::exists(workspace.path(std::string("out/") + name)));
  }
  CHECK(Json::parse(workspace.read("out/config.json"))["architectures"][0] == "BertModel");
  CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'accuracy>=0.8' --quiet").exit_code == 0);
  fs::remove(workspace.path("out/config.resolved.json"));
  const Finished predicted = run_attune(workspace, "predict out --logits --quiet", "printf 'where is my refund now\\n' |");
  INFO(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(Json::parse(predicted.out)["label"] == "refund");
  CHECK(Json::parse(predicted.out)["logits"].size() == 3);
}

TEST_CASE("a contrastive run that is interrupted and resumed ends with the same bits, and can be verified", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("save_strategy": "steps", "save_steps": 5)", kContrastive);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=whole").exit_code == 0);
  const pid_t child = attune::testing::start_attune(workspace, "train run.json --quiet");
  const bool has_begun = attune::testing::appear({workspace.path("out/checkpoints/checkpoint-5")});
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(has_begun);
  const Finished resumed = run_attune(workspace, "train run.json --quiet --resume auto");
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(weights(workspace) == weights(workspace, "whole"));
  CHECK(workspace.read("out/classifier.safetensors") == workspace.read("whole/classifier.safetensors"));
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
  Json manifest = Json::parse(workspace.read("out/run_manifest.json"));
  manifest["fit"]["head_sha256"] = std::string(64, '0');
  workspace.write("out/run_manifest.json", manifest.dump());
  const Finished changed = run_attune(workspace, "verify out --quiet");
  CHECK((changed.out + changed.err).find("the head that is computed from the vectors has other values") != std::string::npos);
}

TEST_CASE("batches that share texts read the same pairs in fewer tokens, are resumed, and can be verified", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("save_strategy": "steps", "save_steps": 5, "num_train_epochs": 2)", kContrastive);
  const Json random = results_of(run_attune(workspace, "train run.json --quiet --json --set output_dir=random"));
  const std::string shared = "train run.json --quiet --json --set tuning.contrastive.texts_per_batch=8 --set output_dir=";
  const Json whole = results_of(run_attune(workspace, shared + "whole"));
  CHECK(whole["train_samples"] == random["train_samples"]);
  CHECK(trajectory_of(workspace, "whole").size() == trajectory_of(workspace, "random").size());
  CHECK(whole["cost"]["training"]["tokens"].get<double>() < 0.8 * random["cost"]["training"]["tokens"].get<double>());
  const pid_t child = attune::testing::start_attune(workspace, shared + "out");
  const bool has_begun = attune::testing::appear({workspace.path("out/checkpoints/checkpoint-5")});
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(has_begun);
  results_of(run_attune(workspace, shared + "out --resume auto"));
  CHECK(weights(workspace) == weights(workspace, "whole"));
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
}

TEST_CASE("prototypes classify without training, on the base's own weights", "[app][shell][few]") {
  const Workspace workspace;
  for (const char* distance : {"cosine", "euclidean"}) {
    INFO(distance);
    write_tiny_job(workspace, "", R"("tuning": {"method": "prototype", "prototype": {"distance": ")" + std::string(distance) + R"("}}, "output_dir": ")" + distance + "\"");
    const Json results = results_of(run_attune(workspace, "train run.json --quiet --json"));
    CHECK(results["train"]["train_steps"] == 0);
    CHECK(results["validation"]["metrics"]["accuracy"].get<double>() > 0.5);
    CHECK(run_attune(workspace, std::string("verify ") + distance + " --quiet").exit_code == 0);
  }
  CHECK(Json::parse(workspace.read("cosine/config_setfit.json"))["normalize_embeddings"] == true);
  CHECK(Json::parse(workspace.read("euclidean/config_setfit.json"))["normalize_embeddings"] == false);
  const auto base = attune::tensor::load_tensors(attune::testing::kTinyModel + "/model.safetensors");
  for (const auto& [name, tensor] : attune::tensor::load_tensors(workspace.path("cosine/model.safetensors"))) {
    INFO(name);
    REQUIRE(base.contains(name));
    CHECK(tensor.equal(base.at(name)));
  }
}

TEST_CASE("contrastive tuning goes into folds, seeds and sweeps like any other", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kContrastive + R"(, "cross_validation": {"folds": 3, "refit": true})");
  const Json folds = results_of(run_attune(workspace, "train run.json --quiet --json"));
  CHECK(folds["cross_validation"]["mean"]["accuracy"].get<double>() > 0.6);
  CHECK(fs::exists(workspace.path("out/classifier.safetensors")));
  write_tiny_job(workspace, "", R"("tuning": {"method": "prototype"}, "seeds": [1, 2], "output_dir": "seeds")");
  CHECK(results_of(run_attune(workspace, "train run.json --quiet --json"))["seeds"].size() == 2);
  CHECK(run_attune(workspace, "evaluate seeds valid.jsonl --require 'accuracy>=0.5' --quiet").exit_code == 0);
  write_tiny_job(workspace, "", R"("tuning": {"method": "prototype"}, "output_dir": "swept")");
  workspace.write("test.jsonl", attune::testing::tiny_rows(9));
  const Finished swept =
      run_attune(workspace, "sweep run.json --quiet --set data.test=test.jsonl --vary tuning.prototype.distance=cosine,euclidean");
  INFO(swept.err);
  REQUIRE(swept.exit_code == 0);
  CHECK(fs::exists(workspace.path("swept/predictions.jsonl")));
  CHECK(run_attune(workspace, "predict swept valid.jsonl --quiet").exit_code == 0);
}

TEST_CASE("what few-example tuning cannot do is refused with what was found", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kContrastive);
  workspace.write("train.jsonl", "{\"text\": \"a card\", \"label\": [\"x\", \"y\"]}\n{\"text\": \"a refund\", \"label\": [\"y\"]}\n");
  const Finished several = run_attune(workspace, "train run.json --quiet --set 'data.validation=[]'");
  CHECK(several.exit_code == 2);
  CHECK(several.err.find("needs rows of one class each") != std::string::npos);

  write_tiny_job(workspace, "", kContrastive + R"(, "model": {"path": "body"})");
  write_body(workspace, true);
  workspace.write("body/1_Pooling/config.json", R"({"pooling_mode_mean_tokens": false, "pooling_mode_max_tokens": true})");
  const Finished pooled = run_attune(workspace, "train run.json --quiet");
  CHECK(pooled.exit_code == 3);
  CHECK(pooled.err.find("texts are pooled by 'max_tokens'") != std::string::npos);
  workspace.write("body/modules.json", R"([{"type": "sentence_transformers.models.Dense"}])");
  CHECK(run_attune(workspace, "train run.json --quiet").err.find("there is a module 'sentence_transformers.models.Dense'") != std::string::npos);
}

TEST_CASE("a damaged head is an error that names its file", "[app][shell][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "prototype"})");
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  const std::string good = workspace.read("out/config_setfit.json");
  workspace.write("out/config_setfit.json", R"({"normalize_embeddings": false, "labels": ["card", "refund"]})");
  const Finished finished = run_attune(workspace, "predict out valid.jsonl --quiet");
  CHECK(finished.exit_code == 3);
  CHECK(finished.err.find("classifier.safetensors: the tensor 'weight' has the shape [3, 16], and labels and model make it [2, 16]") != std::string::npos);
  workspace.write("out/config_setfit.json", R"({"labels": [1]})");
  CHECK(run_attune(workspace, "predict out valid.jsonl --quiet").err.find("the label 1 is no text") != std::string::npos);
  workspace.write("out/config_setfit.json", good);
  workspace.write("out/classifier.safetensors", "none");
  CHECK(run_attune(workspace, "predict out valid.jsonl --quiet").exit_code == 3);
}

TEST_CASE("pairs are drawn under a seed of their own, and merging texts changes the work alone", "[app][few]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 1, "learning_rate": 0.001)",
                 R"("tuning": {"method": "contrastive", "contrastive": {"num_iterations": 2}}, "model": {"path": ")" +
                     attune::testing::kTinyModel + R"(", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})");
  const auto train = [&](const std::string& setting) {
    const Finished done = run_attune(workspace, "train run.json --json --quiet --set overwrite_output_dir=true --set tuning.contrastive." + setting);
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return std::pair(Json::parse(done.out)["cost"]["training"]["tokens"].get<double>(),
                     Json::parse(workspace.read("out/run_manifest.json"))["trajectory"][0]["loss"].get<double>());
  };
  const auto [tokens, loss] = train("pair_seed=42");
  const auto [tokens_alone, loss_alone] = train("merge_texts=false");
  CHECK(tokens < tokens_alone);
  CHECK(loss == Approx(loss_alone).epsilon(1e-5));
  CHECK(train("pair_seed=43").second != Approx(loss).epsilon(1e-4));
}
