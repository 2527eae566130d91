// See run.h.
#include "attune/job/run.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "attune/adapt/freeze.h"
#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/cross_validation.h"
#include "attune/job/environment.h"
#include "attune/job/manifest.h"
#include "attune/job/output.h"
#include "attune/job/resumption.h"
#include "attune/job/summary.h"
#include "attune/metrics/intervals.h"
#include "attune/report/event_file.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

/// One seed's fit, scored and written to `folder`.
struct SeedOutcome {
  std::uint64_t seed = 0;
  std::string folder;
  std::string stopped_by;
  double selection = 0;  ///< larger is better: chooses the seed whose model stays in output_dir
  Json results;          ///< {"train", "validation", "test", "reopened"}
};

Json scored_json(const Scored& scored) { return {{"metrics", scored.metrics}, {"intervals", scored.intervals}}; }

SeedOutcome finish(const Prepared& prepared, const FitRequest& request, const Fit& fitted, const std::string& folder) {
  SeedOutcome outcome{.seed = request.seed, .folder = folder, .stopped_by = fitted.result.stopped_by, .selection = 0, .results = Json::object()};
  const std::int64_t batch = prepared.options.training.per_device_eval_batch_size;
  outcome.results["train"] = train_metrics(fitted.result, request.train.size());
  Json validation_metrics = Json::object(), test_metrics = Json::object();
  if (!request.validation.empty()) {
    const Scored scored = score_rows(fitted, request.validation, *request.validation_examples, batch);
    outcome.results["validation"] = scored_json(scored);
    validation_metrics = scored.metrics;
    outcome.selection = -scored.metrics.value("loss", 0.0);
    if (prepared.test.empty()) {
      files::write_file_atomically(folder + "/predictions.jsonl", prediction_lines(*fitted.task, scored.predictions, *request.validation_examples, false));
    }
  }
  if (!prepared.test.empty()) {
    const Scored scored = score_rows(fitted, prepared.test.encoded, prepared.test.examples, batch);
    outcome.results["test"] = scored_json(scored);
    test_metrics = scored.metrics;
    files::write_file_atomically(folder + "/predictions.jsonl", prediction_lines(*fitted.task, scored.predictions, prepared.test.examples, false));
  }
  outcome.results["reopened"] = save_and_reopen(fitted, prepared, request.train, folder);
  write_results(folder, outcome.results["train"], validation_metrics, test_metrics);
  write_trainer_state(folder, fitted.result, prepared.options);
  files::write_json(folder + "/run_manifest.json",
                    make_manifest({.request = &request, .fit = &fitted, .reopened = outcome.results["reopened"]}, folder));
  return outcome;
}

SeedOutcome run_seed(const Prepared& prepared, std::uint64_t seed, const std::string& folder, const report::EventBus& events) {
  fs::create_directories(folder);
  FitRequest request;
  request.prepared = &prepared;
  request.train = prepared.train.encoded;
  request.validation = prepared.validation.encoded;
  request.validation_examples = &prepared.validation.examples;
  request.seed = seed;
  request.folder = folder;
  request.resume = prepared.options.resume_from_checkpoint;
  request.events = &events;
  const Fit fitted = fit(request);
  if (fitted.result.stopped_by == "signal") {
    return {.seed = seed, .folder = folder, .stopped_by = "signal", .selection = 0, .results = Json::object()};
  }
  return finish(prepared, request, fitted, folder);
}

/// Mean and standard deviation over seeds of every metric of every split.
Json seed_statistics(const std::vector<SeedOutcome>& outcomes) {
  Json statistics = Json::object();
  for (const char* split : {"validation", "test"}) {
    if (!outcomes.front().results.contains(split)) continue;
    for (const auto& [name, first] : outcomes.front().results[split]["metrics"].items()) {
      if (!first.is_number()) continue;
      std::vector<double> values;
      for (const SeedOutcome& outcome : outcomes) {
        const Json value = outcome.results[split]["metrics"].value(name, Json());
        if (value.is_number()) values.push_back(value.get<double>());
      }
      if (values.size() != outcomes.size()) continue;  // undefined for some seed, and so is the mean over all
      const auto [mean, sd] = metrics::mean_and_sd(values);
      statistics[split][name] = {{"mean", mean}, {"sd", sd}};
    }
  }
  return statistics;
}

void run_seeds(const Prepared& prepared, const report::EventBus& events, Json& results) {
  const std::vector<std::uint64_t>& seeds = prepared.options.seeds;
  const std::string& root = prepared.options.output_dir;
  std::vector<SeedOutcome> outcomes;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    events.emit({{"event", "seed_begin"}, {"seed", seeds[i]}, {"index", i + 1}, {"seeds", seeds.size()}});
    outcomes.push_back(run_seed(prepared, seeds[i], seeds.size() == 1 ? root : concat(root, "/seed-", seeds[i]), events));
    results["stopped_by"] = outcomes.back().stopped_by;
    if (outcomes.back().stopped_by == "signal") return;
  }
  const auto best = std::max_element(outcomes.begin(), outcomes.end(),
                                     [](const SeedOutcome& a, const SeedOutcome& b) { return a.selection < b.selection; });
  results.update(best->results);
  if (outcomes.size() == 1) return;
  results["kept_seed"] = best->seed;
  results["statistics"] = seed_statistics(outcomes);
  for (const SeedOutcome& outcome : outcomes) results["seeds"].push_back({{"seed", outcome.seed}, {"results", outcome.results}});
  for (const auto& entry : fs::directory_iterator(best->folder)) {
    if (entry.is_regular_file()) files::copy_file_atomically(entry.path().string(), root + "/" + entry.path().filename().string());
  }
  files::write_json(root + "/seed_results.json", {{"seeds", results["seeds"]}, {"statistics", results["statistics"]}, {"kept_seed", best->seed}});
}

void run_folds(const Prepared& prepared, const report::EventBus& events, Json& results) {
  const CrossValidationOutcome folds = cross_validate(prepared, prepared.options.seeds.front(), events);
  if (folds.stopped) {
    results["stopped_by"] = "signal";
    return;
  }
  results["cross_validation"] = folds.summary;
  if (!prepared.options.cross_validation.refit) return;
  events.emit({{"event", "refit_begin"}, {"epochs", folds.median_best_epoch}});
  FitRequest request;
  request.prepared = &prepared;
  request.train = prepared.train.encoded;
  request.seed = prepared.options.seeds.front();
  request.folder = prepared.options.output_dir;
  request.resume = prepared.options.resume_from_checkpoint.empty() ? "" : "auto";
  request.epochs = folds.median_best_epoch;
  request.events = &events;
  const Fit fitted = fit(request);
  results["stopped_by"] = fitted.result.stopped_by;
  if (fitted.result.stopped_by != "signal") results.update(finish(prepared, request, fitted, request.folder).results);
}

}  // namespace

Json majority_rate(const data::LabelMap& labels, const std::vector<data::Example>& train, const std::vector<data::Example>& rows) {
  if (labels.kind != data::TargetKind::single || rows.empty()) return nullptr;
  const auto count = [](const std::vector<data::Example>& examples) {
    std::map<std::string, std::size_t> counts;
    for (const data::Example& example : examples) {
      if (const auto* label = std::get_if<data::ClassLabel>(&example.target)) ++counts[label->name];
    }
    return counts;
  };
  const auto in_train = count(train);
  const auto most = std::max_element(in_train.begin(), in_train.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  auto in_rows = count(rows);
  return static_cast<double>(in_rows[most->first]) / static_cast<double>(rows.size());
}

Json plan(const RunOptions& options) {
  check_output_folder(options);
  const Prepared prepared = prepare(options);
  check_folds(prepared);
  check_resumption(prepared);
  const models::LoadedModel loaded = open_base(prepared, options.seeds.front());
  const std::vector<bool> trainable = adapt::trainable_parameters(*loaded.model, options.tuning);
  return {{"data", prepared.data_summary},
          {"trainable", adapt::describe_trainable(*loaded.model, trainable)},
          {"newly_initialised", loaded.report.newly_initialised},
          {"unused", loaded.report.unused}};
}

Json run(const RunOptions& options, report::EventBus& events) {
  const Stopwatch watch;
  set_threads(options.threads);
  check_output_folder(options);
  const Prepared prepared = prepare(options);
  check_folds(prepared);
  check_resumption(prepared);
  const std::unique_ptr<files::FolderLock> lock = claim_output_folder(options);
  install_stop_signals();
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  const auto event_file = std::make_shared<report::EventFile>(options.output_dir + "/events.jsonl");
  events.add(event_file);
  events.emit({{"event", "run_begin"}, {"time", utc_timestamp()}, {"output_dir", options.output_dir}, {"environment", environment()}});
  Json data_event = prepared.data_summary;
  data_event["event"] = "data";
  events.emit(data_event);

  Json results = {{"output_dir", options.output_dir}, {"about", options.about}, {"data", prepared.data_summary}, {"stopped_by", "end"}};
  for (const auto& [name, rows] : {std::pair{"train", &prepared.train}, {"validation", &prepared.validation}, {"test", &prepared.test}}) {
    results["majority"][name] = majority_rate(prepared.labels, prepared.train.examples, rows->examples);
  }
  if (options.cross_validation.enabled) {
    run_folds(prepared, events, results);
  } else {
    run_seeds(prepared, events, results);
  }
  results["seconds"] = watch.seconds();
  events.emit({{"event", "run_end"}, {"stopped_by", results["stopped_by"]}, {"seconds", results["seconds"]}});
  if (results["stopped_by"] != "signal") write_report(prepared, results);
  return results;
}

}  // namespace attune::job
