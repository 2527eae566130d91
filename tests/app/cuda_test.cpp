// The built program on a GPU: beside the CPU, killed and resumed, out of memory.
#include "cuda.h"

#include <csignal>
#include <fcntl.h>
#include <thread>

#include <nlohmann/json.hpp>

#include "app/bad_input.h"
#include "app/program.h"

namespace {

using namespace attune::testing;
using Json = nlohmann::ordered_json;

/// The losses of all steps, from trainer_state.json.
std::vector<double> logged_losses(const Workspace& workspace, const std::string& folder) {
  std::vector<double> losses;
  const Json state = Json::parse(workspace.read(folder + "/trainer_state.json"));
  for (const Json& entry : state["log_history"]) {
    if (entry.contains("loss")) losses.push_back(entry["loss"].get<double>());
  }
  return losses;
}

Finished finished_run(const Workspace& workspace, const std::string& arguments) {
  Finished finished = run_attune(workspace, arguments);
  INFO(arguments << "\n" << finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

/// Trains the job of run.json on both devices and compares every step's loss, and the scores.
void check_both_devices(const Workspace& workspace, double tolerance = 1e-4) {
  finished_run(workspace, "train run.json --quiet --set device=cpu --set output_dir=cpu");
  const Json results = Json::parse(finished_run(workspace, "train run.json --quiet --json --set device=cuda --set output_dir=gpu").out);
  const std::vector<double> cpu = logged_losses(workspace, "cpu"), gpu = logged_losses(workspace, "gpu");
  REQUIRE(gpu.size() == cpu.size());
  REQUIRE(gpu.size() >= 8);
  double off = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) off = std::max(off, std::abs(gpu[i] - cpu[i]) / std::abs(cpu[i]));
  CHECK(off < tolerance);
  CHECK(results["gpu_memory_peak"].get<double>() > 1e5);
  const Json manifest = Json::parse(workspace.read("gpu/run_manifest.json"));
  CHECK(manifest["execution"]["device"] == "cuda:0");
  CHECK_FALSE(manifest["execution"]["gpu"].get<std::string>().empty());
  CHECK(manifest["reopened"]["bit_equal"] == true);
  const double loss = Json::parse(workspace.read("gpu/eval_results.json"))["eval_loss"].get<double>();
  CHECK(loss == Approx(Json::parse(workspace.read("cpu/eval_results.json"))["eval_loss"].get<double>()).epsilon(1e-3));
  const Finished evaluated = finished_run(workspace, "evaluate gpu valid.jsonl --json --quiet");
  CHECK(Json::parse(evaluated.out)["metrics"]["loss"].get<double>() == Approx(loss).epsilon(1e-5));
}

Json language_config(const std::string& task, const std::string& model) {
  return {{"model", {{"path", model}, {"task", task}}},
          {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"max_length", 24}}},
          {"training", {{"num_train_epochs", 3}, {"per_device_train_batch_size", 4}, {"learning_rate", 0.01}, {"logging_steps", 1}}},
          {"seeds", {1}},
          {"threads", 1},
          {"output_dir", "out"}};
}

void write_texts(const Workspace& workspace) {
  const char* texts[] = {"the card is lost", "where is my account", "what can i do in the app", "it was sent on monday"};
  std::string lines;
  for (int i = 0; i < 24; ++i) {
    lines += Json({{"text", std::string(texts[i % 4]) + " " + texts[i / 4 % 4] + " " + std::to_string(i)}}).dump() + "\n";
    if (i == 7) workspace.write("valid.jsonl", lines);
  }
  workspace.write("train.jsonl", lines);
}

}  // namespace

TEST_CASE("attune info names the GPU", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  const Json info = Json::parse(finished_run(workspace, "info --json").out);
  CHECK(info["cuda"] == true);
  REQUIRE(info["gpus"].size() >= 1);
  CHECK_FALSE(info["gpus"][0]["name"].get<std::string>().empty());
  CHECK(info["gpus"][0]["memory"].get<double>() > 1e9);
}

TEST_CASE("a classification on a GPU has the CPU's losses and predictions, and verifies", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  write_tiny_job(workspace);
  check_both_devices(workspace);
  const Finished verified = run_attune(workspace, "verify gpu --quiet");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find("bit-equal") != std::string::npos);
  workspace.write("texts.txt", "where is my refund now\nchange my address please\n");
  const auto logits = [&](const std::string& folder) {
    std::vector<double> values;
    std::istringstream lines(finished_run(workspace, "predict " + folder + " --logits --quiet <texts.txt").out);
    for (std::string line; std::getline(lines, line);) {
      const Json prediction = Json::parse(line);
      for (const Json& value : prediction["logits"]) values.push_back(value.get<double>());
    }
    return values;
  };
  const std::vector<double> gpu = logits("gpu"), cpu = logits("cpu");
  REQUIRE(gpu.size() == cpu.size());
  REQUIRE(gpu.size() == 6);
  for (std::size_t i = 0; i < gpu.size(); ++i) CHECK(gpu[i] == Approx(cpu[i]).margin(1e-3));
}

TEST_CASE("LoRA on a GPU has the CPU's losses, and merges", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("tuning": {"method": "lora", "lora": {"r": 4, "lora_dropout": 0.1, "use_dora": true}})");
  check_both_devices(workspace);
  CHECK(Json::parse(finished_run(workspace, "merge gpu --output whole --json").out)["max_abs_difference"].get<double>() < 1e-5);
}

TEST_CASE("language models on a GPU have the CPU's losses", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  for (const auto& [task, model] : {std::pair{std::string("text-generation"), kTinyGpt}, {std::string("fill-mask"), kTinyModel}}) {
    DYNAMIC_SECTION(task) {
      const Workspace workspace;
      write_texts(workspace);
      workspace.write("run.json", language_config(task, model).dump());
      check_both_devices(workspace);
    }
  }
}

TEST_CASE("attune generate writes the same text on a GPU and on the CPU", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  write_texts(workspace);
  workspace.write("run.json", language_config("text-generation", kTinyGpt).dump());
  finished_run(workspace, "train run.json --quiet");
  for (const std::string options : {"--max-new-tokens 20", "--max-new-tokens 20 --num-beams 3"}) {
    const std::string arguments = "generate out --prompt 'the card' " + options + " --json";
    const Finished gpu = run_attune(workspace, arguments), cpu = run_attune(workspace, arguments, "CUDA_VISIBLE_DEVICES= ");
    INFO(gpu.err << cpu.err);
    REQUIRE(gpu.exit_code == 0);
    REQUIRE(cpu.exit_code == 0);
    CHECK(Json::parse(gpu.out)["ids"] == Json::parse(cpu.out)["ids"]);
  }
}

TEST_CASE("a run on a GPU that is killed and resumed ends with the same bits", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 40, "per_device_train_batch_size": 2, "save_strategy": "steps", "save_steps": 20, "bf16": true)");
  finished_run(workspace, "train run.json --quiet --set device=cuda --set output_dir=whole");
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(workspace.path("").c_str()) != 0) _exit(127);
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    execl("/bin/sh", "sh", "-c", "exec '" ATTUNE_PROGRAM "' train run.json --quiet --set device=cuda", nullptr);
    _exit(127);
  }
  for (int wait = 0; wait < 600 && !fs::exists(workspace.path("out/checkpoints/checkpoint-100")); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  finished_run(workspace, "train run.json --quiet --set device=cuda --resume");
  CHECK(weights(workspace) == weights(workspace, "whole"));
  const std::vector<double> losses = logged_losses(workspace, "out");
  CHECK(losses.size() == 960);
  CHECK(losses == logged_losses(workspace, "whole"));
}

TEST_CASE("a checkpoint made on a GPU is not resumed on the CPU", "[cuda][app][shell]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  write_tiny_job(workspace, R"("save_strategy": "steps", "save_steps": 4)");
  finished_run(workspace, "train run.json --quiet --set device=cuda");
  const Finished refused = run_attune(workspace, "train run.json --quiet --resume --set device=cpu");
  CHECK(refused.exit_code == kResumeRefused);
  CHECK(refused.err.find("execution.device: \"cuda:0\" → \"cpu\"") != std::string::npos);
}

TEST_CASE("GPU memory that runs out is named with what was asked for", "[cuda][app][shell][bad]") {
  ATTUNE_NEEDS_GPU();
  const Workspace workspace;
  write_tiny_job(workspace);
  Json job = Json::parse(tiny_config());
  job["data"].erase("validation");
  workspace.write("run.json", job.dump());
  model_json("config.json", [](Json& config) {
    config["max_position_embeddings"] = 16384;
    config["num_attention_heads"] = 16;
  })(workspace);
  std::string text;  // attention with dropout holds the scores: 16 heads · 16,000² · 32 rows are half a terabyte
  for (int i = 0; i < 16'000; ++i) text += "card ";
  std::string lines;
  for (int i = 0; i < 64; ++i) lines += Json({{"text", text}, {"label", i % 2 == 0 ? "a" : "b"}}).dump() + "\n";
  workspace.write("train.jsonl", lines);
  const Finished finished = run_attune(workspace,
                                       "train run.json --quiet --set device=cuda --set model.init=random --set data.max_length=16000 "
                                       "--set training.per_device_train_batch_size=32");
  INFO(finished.err);
  CHECK(finished.exit_code == kMemory);
  REQUIRE(errors_of(finished.err).size() == 1);
  CHECK(errors_of(finished.err)[0].starts_with("error: out of memory on the GPU: Tried to allocate "));
  CHECK(finished.err.find("training.gradient_checkpointing") != std::string::npos);
}
