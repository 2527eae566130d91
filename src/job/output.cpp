// See output.h.
#include "attune/job/output.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "attune/adapt/adapter.h"
#include "attune/adapt/peft.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/job/execution.h"
#include "job/base.h"
#include "job/pooling.h"
#include "job/vector_head.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

constexpr std::size_t kProbeRows = 8;
constexpr double kReopenTolerance = 2e-5;
constexpr const char* kLockFile = ".lock";
constexpr const char* kFoldsFolder = "cv";

Json with_prefix(const Json& metrics, const std::string& prefix) {
  Json named = Json::object();
  for (const auto& [key, value] : metrics.items()) {
    if (value.is_number()) named[prefix + key] = value;
  }
  return named;
}

/// What lies in the folder besides its lock; nothing where there is no folder.
std::vector<fs::path> content_of(const std::string& folder) {
  std::vector<fs::path> content;
  if (!path_exists(folder, ErrorKind::storage)) return content;
  if (!is_folder(folder, ErrorKind::storage)) {
    throw Error(ErrorKind::usage, {.file = folder, .what = "this is a file, the output folder would have its name", .where = "output_dir",
                                   .hint = "choose another output_dir"});
  }
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    if (entry.path().filename() != kLockFile) content.push_back(entry.path());
  }
  if (!problem) return content;
  throw Error(ErrorKind::storage, {.file = folder, .what = concat("the folder cannot be read: ", problem.message()), .where = "output_dir",
                                   .hint = "check the permissions or choose another output_dir"});
}

bool has_content(const std::string& folder) { return !content_of(folder).empty(); }

/// Files and folders of a run, as docs/formats.md lists them, and those of the base's tokenizer.
bool is_of_a_run(const std::string& name) {
  static const std::set<std::string> kNames = {
      "1_Pooling", "README.md", "adapter_config.json", "adapter_model.safetensors", "added_tokens.json", "answers", "attune_adapter.json", "best",
      "chat_template.jinja", "checkpoints", "classifier.safetensors", "compare.json", "config.json", "config.resolved.json", "config_setfit.json", "cv",
      "events.jsonl", "generation_config.json", "junit.xml", "merges.txt", "meta_manifest.json", "methods", "model.safetensors", "modules.json", "opening.json", "predictions.jsonl",
      "report.html", "run_manifest.json", "selected_rows.jsonl", "sentence_bert_config.json", "sentencepiece.bpe.model", "special_tokens_map.json", "spiece.model",
      "sweep.json", "test_answers", "tokenizer.json", "tokenizer.model",
      "tokenizer_config.json", "trainer_state.json", "variants", "vocab.json", "vocab.txt", "wordings"};
  return kNames.contains(name) || name.starts_with(".") || name.starts_with("seed-") || name.starts_with("round-") || name.starts_with("point-") ||
         name.ends_with("_results.json") || name.ends_with("_detail.json") || name.ends_with("_predictions.jsonl");
}

/// Content may be removed when that was asked for and all of it is of an attune run.
void check_content(const RunOptions& options) {
  const fs::path folder = options.output_dir;
  const auto refuse = [&](const std::string& what, const char* hint) {
    throw Error(ErrorKind::usage, {.file = options.output_dir, .what = what, .where = "output_dir", .hint = hint});
  };
  if (!options.overwrite_output_dir) {
    refuse("the output folder is not empty", "choose another folder, continue with --resume, or set overwrite_output_dir");
  }
  std::error_code ignored;
  if (!fs::exists(folder / "config.resolved.json", ignored) && !fs::exists(folder / "events.jsonl", ignored)) {
    refuse("overwrite_output_dir is set, but this is not the folder of an attune run", "choose another folder or empty it yourself");
  }
  for (const fs::path& path : content_of(options.output_dir)) {
    const std::string name = path.filename().string();
    if (is_of_a_run(name)) continue;
    refuse(concat("overwrite_output_dir is set, and the folder also holds '", name, "', which attune did not write"),
           "move it away, or choose another folder");
  }
}

std::vector<std::vector<float>> probe_logits(models::Model& model, const task::Task& task, const train::Split& probe) {
  std::vector<std::vector<float>> logits;
  for (const task::Prediction& prediction : train::predict(model, task, probe.rows, kProbeRows, probe.examples)) {
    logits.push_back(prediction.logits);
  }
  return logits;
}

}  // namespace

void check_output_folder(const RunOptions& options) {
  if (!has_content(options.output_dir) || !options.resume_from_checkpoint.empty()) return;
  files::refuse_locked_folder(options.output_dir);
  check_content(options);
}

std::unique_ptr<files::FolderLock> claim_output_folder(const RunOptions& options) {
  const fs::path folder = options.output_dir;
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem && !is_folder(options.output_dir, ErrorKind::storage)) {
    throw Error(ErrorKind::storage, {.file = options.output_dir, .what = concat("the folder could not be created: ", problem.message()),
                                     .where = "output_dir", .hint = "choose another output_dir"});
  }
  auto lock = std::make_unique<files::FolderLock>(options.output_dir);
  if (!options.resume_from_checkpoint.empty()) files::remove_stale_temporaries(options.output_dir);
  if (!has_content(options.output_dir) || !options.resume_from_checkpoint.empty()) return lock;
  check_content(options);
  for (const fs::path& path : content_of(options.output_dir)) {
    fs::remove_all(path, problem);
    if (!problem) continue;
    throw Error(ErrorKind::storage, {.file = path.string(), .what = concat("cannot be removed: ", problem.message()),
                                     .where = "overwrite_output_dir", .hint = "choose another output_dir"});
  }
  return lock;
}

namespace {

/// Writes the model, or its adapter, with what its tokenizer needs.
void save(const Fit& fit, const Prepared& prepared, const std::string& folder) {
  if (const auto adapter = adapt::adapter_options(prepared.options.tuning)) {
    adapt::save_adapter(fit.loaded, *adapter, prepared.options.model.path, folder);
  } else {
    models::save_model(fit.loaded, prepared.model_folder, folder);
  }
  if (fit.head) write_vector_head(*fit.head, prepared, folder);
  if (const std::string& own = prepared.chats->own_default(); !own.empty()) {
    files::write_file_atomically(folder + "/chat_template.jinja", own);
  }
}

}  // namespace

models::LoadedModel reopen(const Prepared& prepared, const std::string& folder) {
  models::LoadOptions options;
  options.task = loaded_task(prepared);
  if (adapt::adapter_options(prepared.options.tuning)) return adapt::load_adapted(adapt::open_adapter(folder), options);
  return models::load_model(folder, options);
}

ReopenedRun reopen_run(const RunOptions& options, std::shared_ptr<train::PrefixCache> prefix_cache) {
  RunOptions without_rounds = options;
  without_rounds.tuning.self_training.enabled = false;
  without_rounds.data.unlabelled.clear();
  const report::EventBus silent;
  auto opened = std::make_unique<Prepared>(prepare(without_rounds, silent, std::move(prefix_cache)));
  opened->options.tuning.self_training = options.tuning.self_training;
  opened->options.data.unlabelled = options.data.unlabelled;
  ReopenedRun run;
  run.prepared = std::move(opened);
  const Prepared& prepared = *run.prepared;
  run.fit.loaded = reopen(prepared, options.output_dir);
  run.fit.loaded.model->set_execution(execution_of(options));
  run.fit.task = reopen_task(prepared, class_weights(prepared, prepared.train.encoded), *run.fit.loaded.model, options.output_dir);
  return run;
}

Json save_and_reopen(const Fit& fit, const Prepared& prepared, const files::ListView<task::Encoded>& probe, const std::string& folder) {
  std::vector<task::Encoded> probed;
  std::vector<data::Example> examples;
  for (std::size_t i = 0; i < std::min(probe.size(), kProbeRows); ++i) {
    probed.push_back(*probe.get(i));
    examples.push_back(*prepared.train.examples.get(static_cast<std::size_t>(probed.back().example)));
    probed.back().example = static_cast<std::int64_t>(i);
  }
  const train::Split rows = {probed, examples};
  save(fit, prepared, folder);
  const models::LoadedModel reopened = reopen(prepared, folder);
  reopened.model->set_execution(fit.loaded.model->execution());
  const auto in_memory = probe_logits(*fit.loaded.model, *fit.task, rows);
  const auto own_task = reopen_task(prepared, fit.class_weights, *reopened.model, folder);
  const auto from_disk = probe_logits(*reopened.model, *own_task, rows);
  double worst = 0;
  for (std::size_t i = 0; i < in_memory.size(); ++i) {
    for (std::size_t j = 0; j < in_memory[i].size(); ++j) {
      worst = std::max(worst, std::abs(static_cast<double>(in_memory[i][j]) - from_disk[i][j]));
    }
  }
  if (!(worst <= kReopenTolerance)) {
    throw Error(ErrorKind::storage, {.file = folder, .what = concat("the saved model gives other logits than the one in memory, off by ", worst),
                                     .where = adapt::adapter_options(prepared.options.tuning) ? "adapter_model.safetensors" : "model.safetensors",
                                     .hint = "the disk may be damaged; train again into another folder"});
  }
  return {{"rows", in_memory.size()}, {"max_abs_difference", worst}, {"bit_equal", worst == 0}};
}

void copy_run_files(const std::string& from, const std::string& to, std::string_view but) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (name == but || name.starts_with(".")) continue;
    if (entry.is_regular_file()) files::copy_file_atomically(entry.path().string(), to + "/" + name);
    if (entry.is_directory() && (name == kPoolingFolder || name == kFoldsFolder)) copy_run_files(entry.path().string(), to + "/" + name);
  }
}

void for_each_example(std::span<const task::Prediction> predictions, const std::function<void(std::span<const task::Prediction>)>& each) {
  for (std::size_t begin = 0; begin < predictions.size();) {
    std::size_t end = begin + 1;
    while (end < predictions.size() && predictions[end].encoded->example == predictions[begin].encoded->example) ++end;
    each(predictions.subspan(begin, end - begin));
    begin = end;
  }
}

std::string prediction_lines(const task::Task& task, std::span<const task::Prediction> predictions,
                             std::span<const data::Example> examples, bool with_logits) {
  std::string lines;
  for_each_example(predictions, [&](std::span<const task::Prediction> windows) {
    lines += task.describe(windows, examples[windows.front().encoded->example], with_logits).dump() + "\n";
  });
  return lines;
}

namespace {

/// Writes the split's files and adds its numbers to `all`.
void write_split(const std::string& folder, const SplitResults& split, Json& all) {
  if (split.metrics.empty()) return;
  const Json numbers = with_prefix(split.metrics, split.name == "train" ? "" : split.name + "_");
  files::write_json(folder + "/" + split.name + "_results.json", numbers);
  all.update(numbers);
  Json detail = Json::object();
  if (!split.intervals.empty()) detail["intervals"] = split.intervals;
  for (const auto& [key, value] : split.metrics.items()) {
    if (value.is_structured()) detail[key] = value;
  }
  if (!detail.empty()) files::write_json(folder + "/" + split.name + "_detail.json", detail);
}

}  // namespace

void write_results(const std::string& folder, const std::vector<SplitResults>& splits) {
  Json all = Json::object();
  for (const SplitResults& split : splits) write_split(folder, split, all);
  files::write_json(folder + "/all_results.json", all);
}

void add_results(const std::string& folder, const SplitResults& split) {
  Json all = files::read_json(folder + "/all_results.json", {.kind = ErrorKind::storage, .max_bytes = std::size_t{1} << 24});
  write_split(folder, split, all);
  files::write_json(folder + "/all_results.json", all);
}

void write_trainer_state(const std::string& folder, const train::TrainResult& result, const Json& train_metrics) {
  Json state = Json::parse(result.trainer_state);
  state["attune"] = {{"stopped_by", result.stopped_by}};  // the rest is for resumption and stands in the checkpoints
  Json last = train_metrics;
  last["step"] = result.steps;
  state["log_history"].push_back(std::move(last));
  files::write_json(folder + "/trainer_state.json", state);
}

Json train_metrics(const train::TrainResult& result, std::size_t rows) {
  Json metrics = {{"train_loss", result.train_loss}, {"train_runtime", result.seconds}, {"train_samples", rows},
                  {"train_steps", result.steps}, {"train_tokens", result.tokens}, {"total_flos", result.flops}, {"epoch", result.epochs}};
  if (result.seconds > 0) {
    metrics["train_steps_per_second"] = static_cast<double>(result.steps) / result.seconds;
    metrics["train_samples_per_second"] = static_cast<double>(rows) * result.epochs / result.seconds;
    metrics["train_tokens_per_second"] = static_cast<double>(result.tokens) / result.seconds;
  }
  return metrics;
}

}  // namespace attune::job
