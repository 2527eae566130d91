// See meta_train.h.
#include "attune/job/meta_train.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/signals.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/job/manifest.h"
#include "attune/job/output.h"
#include "attune/report/meta_html.h"
#include "job/meta_training.h"

namespace attune::job {

namespace {

using files::Json;

/// Mean of the first or the last quarter of the losses; null without any.
Json mean_of_quarter(const std::vector<double>& losses, bool last) {
  if (losses.empty()) return nullptr;
  const auto count = static_cast<std::ptrdiff_t>((losses.size() + 3) / 4);
  const auto begin = last ? losses.end() - count : losses.begin();
  return std::accumulate(begin, begin + count, 0.0) / static_cast<double>(count);
}

/// Its losses before anything of an episode was learned.
std::vector<double> first_losses(const std::vector<Episode>& episodes, std::size_t task) {
  std::vector<double> losses;
  for (const Episode& one : episodes) {
    if (one.task == task) losses.push_back(one.first_loss);
  }
  return losses;
}

Json describe_task(const MetaLearner& learner, const std::vector<double>& losses) {
  return {{"name", learner.name()},
          {"rows", learner.prepared().train.encoded.size()},
          {"labels", learner.prepared().labels.names.size()},
          {"episodes", losses.size()},
          {"first_loss", mean_of_quarter(losses, false)},
          {"last_loss", mean_of_quarter(losses, true)}};
}

std::int64_t size_of(const Values& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& one) { return sum + one.second.numel(); });
}

Json results_of(const MetaTraining& training) {
  const RunOptions& options = training.options();
  Json results = {{"output_dir", options.output_dir},
                  {"episodes", training.episodes().size()},
                  {"inner_steps", options.meta.inner_steps},
                  {"trained", size_of(training.common())},
                  {"tasks", Json::array()}};
  for (std::size_t i = 0; i < training.learners().size(); ++i) {
    results["tasks"].push_back(describe_task(training.learners()[i], first_losses(training.episodes(), i)));
  }
  return results;
}

/// What the data sets are: their options, and hashes of what is read.
Json inputs_of(const MetaTraining& training, const std::vector<MetaTask>& tasks) {
  Json inputs = Json::array();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    RunOptions own;
    own.data = tasks[i].data;
    inputs.push_back({{"name", tasks[i].name},
                      {"data", config::effective(own)["data"]},
                      {"read", training.learners()[i].prepared().fingerprints}});
  }
  return inputs;
}

Json hashes_of(const Values& values) {
  Json hashes = Json::object();
  for (const auto& [name, value] : values) {
    const at::Tensor numbers = value.detach().cpu().contiguous();
    hashes[name] = files::sha256_hex(
        {static_cast<const char*>(numbers.const_data_ptr()), static_cast<std::size_t>(numbers.nbytes())});
  }
  return hashes;
}

Json manifest_of(const MetaTraining& training, const std::vector<MetaTask>& tasks) {
  const RunOptions& options = training.options();
  return {{"manifest_version", 1},
          {"created", utc_timestamp()},
          {"environment", environment()},
          {"execution", describe(execution_of(options))},
          {"configuration", config::effective(options)},
          {"inputs", inputs_of(training, tasks)},
          {"episodes", episodes_json(training.episodes())},
          {"values", hashes_of(training.common())},
          {"files", file_hashes(options.output_dir)}};
}

}  // namespace

std::vector<MetaTask> meta_tasks(const std::string& name, const RunOptions& options) {
  std::vector<MetaTask> tasks = {{.name = name, .data = options.data}};
  for (const std::string& path : options.meta.tasks) {
    tasks.push_back({.name = path, .data = config::load(path, {}, machine()).data});
  }
  return tasks;
}

Json meta_train(const RunOptions& given, const std::vector<MetaTask>& tasks, const report::EventBus& events) {
  const Stopwatch watch;
  set_threads(given.threads);
  check_output_folder(given);
  MetaTraining training(with_precision_decided(given), tasks, events);
  const RunOptions& options = training.options();
  const auto lock = claim_output_folder(options);
  install_stop_signals();
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  training.resume();
  const bool ended = training.run(options.meta.episodes, /*saves=*/true, events);
  if (!ended) training.save();
  Json results = results_of(training);
  results["stopped_by"] = ended ? "end" : "signal";
  results["seconds"] = watch.seconds();
  if (!ended) return results;
  training.save_model(options.output_dir);
  files::write_json(options.output_dir + "/meta_results.json", results);
  files::write_file_atomically(options.output_dir + "/report.html",
                               report::meta_train_page(results, episodes_json(training.episodes())));
  files::write_json(options.output_dir + "/meta_manifest.json", manifest_of(training, tasks));
  training.forget();
  return results;
}

Json repeat_meta_training(const RunOptions& options, const std::vector<MetaTask>& tasks,
                          const MetaRepetition& repetition, const report::EventBus& events) {
  MetaTraining training(options, tasks, events);
  Json now = {{"inputs", inputs_of(training, tasks)}};
  if (now["inputs"] != repetition.inputs) return now;
  const std::int64_t episodes = std::min(repetition.episodes.value_or(options.meta.episodes), options.meta.episodes);
  if (!training.run(episodes, /*saves=*/false, events)) return now;
  now["episodes"] = episodes_json(training.episodes());
  now["values"] = hashes_of(training.common());
  return now;
}

}  // namespace attune::job
