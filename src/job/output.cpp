// See output.h.
#include "attune/job/output.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

constexpr std::size_t kProbeRows = 8;
constexpr double kReopenTolerance = 2e-5;

Json with_prefix(const Json& metrics, const std::string& prefix) {
  Json named = Json::object();
  for (const auto& [key, value] : metrics.items()) {
    if (value.is_number()) named[prefix + key] = value;
  }
  return named;
}

std::vector<std::vector<float>> probe_logits(models::Model& model, const task::Task& task, std::span<const task::Encoded> probe) {
  std::vector<std::vector<float>> logits;
  for (const task::Prediction& prediction : train::predict(model, task, probe, kProbeRows)) logits.push_back(prediction.logits);
  return logits;
}

}  // namespace

void claim_output_folder(const RunOptions& options) {
  const fs::path folder = options.output_dir;
  if (!fs::exists(folder)) {
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (problem) {
      throw Error(ErrorKind::storage, {.file = options.output_dir, .what = concat("the folder could not be created: ", problem.message()),
                                       .where = "", .hint = "choose another output_dir"});
    }
    return;
  }
  if (fs::is_empty(folder) || !options.resume_from_checkpoint.empty()) return;
  if (!options.overwrite_output_dir) {
    throw Error(ErrorKind::usage, {.file = options.output_dir, .what = "the output folder is not empty", .where = "output_dir",
                                   .hint = "choose another folder, continue with --resume, or set overwrite_output_dir"});
  }
  if (!fs::exists(folder / "config.resolved.json") && !fs::exists(folder / "events.jsonl")) {
    throw Error(ErrorKind::usage, {.file = options.output_dir, .what = "overwrite_output_dir is set, but this is not the folder of an attune run",
                                   .where = "output_dir", .hint = "choose another folder or empty it yourself"});
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != ".lock") fs::remove_all(entry.path());
  }
}

Json save_and_reopen(const Fit& fit, const Prepared& prepared, std::span<const task::Encoded> probe, const std::string& folder) {
  models::save_model(fit.loaded, prepared.model_folder, folder);
  probe = probe.first(std::min(probe.size(), kProbeRows));
  models::LoadOptions options;
  options.task = prepared.kind;
  const models::LoadedModel reopened = models::load_model(folder, options);
  const auto in_memory = probe_logits(*fit.loaded.model, *fit.task, probe);
  const auto from_disk = probe_logits(*reopened.model, *fit.task, probe);
  double worst = 0;
  for (std::size_t i = 0; i < in_memory.size(); ++i) {
    for (std::size_t j = 0; j < in_memory[i].size(); ++j) {
      worst = std::max(worst, std::abs(static_cast<double>(in_memory[i][j]) - from_disk[i][j]));
    }
  }
  if (!(worst <= kReopenTolerance)) {
    throw Error(ErrorKind::storage, {.file = folder, .what = concat("the saved model gives other logits than the one in memory, off by ", worst),
                                     .where = "model.safetensors", .hint = "the disk may be damaged; train again into another folder"});
  }
  return {{"rows", in_memory.size()}, {"max_abs_difference", worst}, {"bit_equal", worst == 0}};
}

std::string prediction_lines(const task::Task& task, std::span<const task::Prediction> predictions,
                             const std::vector<data::Example>& examples, bool with_logits) {
  std::string lines;
  for (std::size_t begin = 0; begin < predictions.size();) {
    std::size_t end = begin + 1;
    while (end < predictions.size() && predictions[end].encoded->example == predictions[begin].encoded->example) ++end;
    const data::Example& example = examples[predictions[begin].encoded->example];
    lines += task.describe(predictions.subspan(begin, end - begin), example, with_logits).dump() + "\n";
    begin = end;
  }
  return lines;
}

void write_results(const std::string& folder, const Json& train, const Json& validation, const Json& test) {
  Json all = Json::object();
  const auto write = [&](const Json& metrics, const std::string& name, const std::string& prefix) {
    if (metrics.empty()) return;
    const Json named = with_prefix(metrics, prefix);
    files::write_json(folder + "/" + name, named);
    all.update(named);
  };
  write(train, "train_results.json", "");
  write(validation, "eval_results.json", "eval_");
  write(test, "test_results.json", "test_");
  files::write_json(folder + "/all_results.json", all);
}

void write_trainer_state(const std::string& folder, const train::TrainResult& result, const RunOptions& options) {
  Json state = {{"best_metric", nullptr}, {"best_global_step", nullptr}, {"epoch", result.epochs}, {"global_step", result.steps},
                {"max_steps", result.steps}, {"num_train_epochs", options.training.num_train_epochs},
                {"stopped_by", result.stopped_by}, {"log_history", result.log_history}};
  if (result.best_step) {
    state["best_metric"] = result.best_metric;
    state["best_global_step"] = *result.best_step;
  }
  files::write_json(folder + "/trainer_state.json", state);
}

Json train_metrics(const train::TrainResult& result, std::size_t rows) {
  Json metrics = {{"train_loss", result.train_loss}, {"train_runtime", result.seconds}, {"train_samples", rows},
                  {"train_steps", result.steps}, {"train_tokens", result.tokens}, {"epoch", result.epochs}};
  if (result.seconds > 0) {
    metrics["train_steps_per_second"] = static_cast<double>(result.steps) / result.seconds;
    metrics["train_samples_per_second"] = static_cast<double>(rows) * result.epochs / result.seconds;
    metrics["train_tokens_per_second"] = static_cast<double>(result.tokens) / result.seconds;
  }
  return metrics;
}

}  // namespace attune::job
