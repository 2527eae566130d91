// See run.h.
#include "attune/job/run.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/log.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/cost.h"
#include "attune/job/cross_validation.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/job/manifest.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/job/resumption.h"
#include "attune/job/summary.h"
#include "attune/metrics/intervals.h"
#include "attune/report/event_file.h"
#include "attune/report/phase.h"
#include "attune/report/warnings.h"
#include "attune/tensor/device.h"
#include "attune/train/early_stopping.h"
#include "job/disk_space.h"
#include "job/folds.h"
#include "job/lanes.h"
#include "job/self_training.h"

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

/// Scores a split and writes its predictions.
Scored score_and_write(const Fit& fitted, const Rows& rows, const FitRequest& request, const std::string& path,
                       std::span<const train::RowText> known = {}) {
  Scored scored = score_rows(fitted, rows, request, known);
  files::write_file_atomically(path, prediction_lines(*fitted.task, scored.predictions, rows.examples, false));
  return scored;
}

/// By what the best model is chosen, the seed's is too; larger is better.
double selection_value(const RunOptions& options, const Json& metrics) {
  const train::WatchedMetric metric = train::best_model_metric(options.training, options.early_stopping);
  const std::string name = main_metric(options);
  const double worst = -std::numeric_limits<double>::infinity();
  if (!metrics.contains(name) || !metrics[name].is_number()) return worst;
  return metrics[name].get<double>() * (metric.greater ? 1 : -1);
}

std::int64_t bytes_of(const models::LoadedModel& loaded) {
  std::int64_t bytes = 0;
  for (const models::Parameter& parameter : loaded.model->parameters()) bytes += static_cast<std::int64_t>(parameter.tensor.nbytes());
  return bytes;
}

/// What self-training found, and the rows that its rounds took.
void write_rounds(const Fit& fitted, const std::string& folder, Json& results) {
  results["self_training"] = fitted.rounds;
  files::write_json(folder + "/self_training_results.json", fitted.rounds);
  files::write_file_atomically(folder + "/selected_rows.jsonl", fitted.selected_rows);
}

/// `cross_validation`: what the manifest says of the folds before a refit, or null.
SeedOutcome finish(const FitRequest& request, const Fit& fitted, const std::string& folder, const Json& cross_validation) {
  const Prepared& prepared = *request.prepared;
  make_room(prepared, bytes_of(fitted.loaded));
  SeedOutcome outcome{.seed = request.seed, .folder = folder, .stopped_by = fitted.result.stopped_by, .selection = 0, .results = Json::object()};
  outcome.results["train"] = train_metrics(fitted.result, fitted.trained_rows);
  for (std::size_t i = 0; i < fitted.class_weights.size(); ++i) {
    outcome.results["train"]["class_weights"][prepared.labels.names[i]] = fitted.class_weights[i];
  }
  std::vector<SplitResults> splits = {{.name = "train", .metrics = outcome.results["train"], .intervals = {}}};
  if (!fitted.rounds.is_null()) write_rounds(fitted, folder, outcome.results);
  if (!request.validation.empty()) {
    const Scored scored = score_and_write(fitted, prepared.validation, request, folder + "/eval_predictions.jsonl",
                                          fitted.result.validation_texts);
    outcome.results["validation"] = scored.summary;
    splits.push_back({.name = "eval", .metrics = scored.summary["metrics"], .intervals = scored.summary["intervals"]});
    outcome.selection = selection_value(prepared.options, scored.summary["metrics"]);
  }
  if (!prepared.test.empty() && !prepared.seals_test) {
    note_opening(prepared, "attune train");
    const Scored scored = score_and_write(fitted, prepared.test, request, folder + "/predictions.jsonl");
    outcome.results["test"] = scored.summary;
    splits.push_back({.name = "test", .metrics = scored.summary["metrics"], .intervals = scored.summary["intervals"]});
  }
  report::Phase saving(*request.events, "saving");
  outcome.results["reopened"] = save_and_reopen(fitted, prepared, request.train, folder);
  write_results(folder, splits);
  write_trainer_state(folder, fitted.result, train_metrics(fitted.result, fitted.trained_rows));
  files::write_json(folder + "/config.resolved.json", config::effective(prepared.options));
  const ManifestInput manifest{.prepared = &prepared, .request = &request, .fit = &fitted, .reopened = outcome.results["reopened"],
                               .cross_validation = cross_validation};
  files::write_json(folder + "/run_manifest.json", make_manifest(manifest, folder));
  saving.end();
  return outcome;
}

SeedOutcome run_seed(const Prepared& prepared, std::uint64_t seed, const std::string& folder, const report::EventBus& events) {
  fs::create_directories(folder);
  FitRequest request;
  request.prepared = &prepared;
  request.train = prepared.train.encoded;
  request.validation = prepared.validation.encoded;
  request.validation_examples = prepared.validation.examples;
  request.seed = seed;
  request.folder = folder;
  request.resume = prepared.options.resume_from_checkpoint;
  request.events = &events;
  const Fit fitted = fit_with_rounds(request);
  if (fitted.result.stopped_by == "signal") {
    return {.seed = seed, .folder = folder, .stopped_by = "signal", .selection = 0, .results = Json::object()};
  }
  return finish(request, fitted, folder, nullptr);
}

/// Mean and standard deviation over seeds of every metric of every split that all seeds have.
Json seed_statistics(const std::vector<SeedOutcome>& outcomes) {
  Json statistics = Json::object();
  for (const char* split : {"validation", "test"}) {
    if (!outcomes.front().results.contains(split)) continue;
    for (const auto& [name, first] : outcomes.front().results[split]["metrics"].items()) {
      std::vector<double> values;
      for (const SeedOutcome& outcome : outcomes) {
        const Json& metrics = outcome.results[split]["metrics"];
        if (name != "rows" && name != "windows" && metrics.contains(name) && metrics[name].is_number()) values.push_back(metrics[name].get<double>());
      }
      if (values.size() != outcomes.size()) continue;
      const metrics::MeanAndSd mean = metrics::mean_and_sd(values);
      statistics[split][name] = {{"mean", mean.mean}, {"sd", mean.sd}};
    }
  }
  return statistics;
}

void run_seeds(const Prepared& prepared, const report::EventBus& events, Json& results) {
  const std::vector<std::uint64_t>& seeds = prepared.options.seeds;
  const std::string& root = prepared.options.output_dir;
  const Lanes lanes = lanes_of_seeds(prepared);
  std::vector<const Rows*> splits = {&prepared.train, &prepared.validation};
  if (!prepared.seals_test) splits.push_back(&prepared.test);
  fill_prefix_cache(prepared, lanes, splits, events);
  std::vector<SeedOutcome> outcomes(
      seeds.size(), {.seed = 0, .folder = "", .stopped_by = "signal", .selection = 0, .results = Json::object()});
  run_lanes(lanes, events, [&](std::size_t i, const report::EventBus& own_events) {
    own_events.emit({{"event", "seed_begin"}, {"seed", seeds[i]}, {"index", i + 1}, {"seeds", seeds.size()}});
    outcomes[i] = run_seed(prepared, seeds[i], seeds.size() == 1 ? root : concat(root, "/seed-", seeds[i]), own_events);
    return outcomes[i].stopped_by != "signal";
  });
  const bool stopped = std::any_of(outcomes.begin(), outcomes.end(), [](const SeedOutcome& one) { return one.stopped_by == "signal"; });
  results["stopped_by"] = stopped ? "signal" : outcomes.back().stopped_by;
  if (stopped) return;
  const auto best = std::max_element(outcomes.begin(), outcomes.end(),
                                     [](const SeedOutcome& a, const SeedOutcome& b) { return a.selection < b.selection; });
  results.update(best->results);
  if (outcomes.size() == 1) return;
  results["kept_seed"] = best->seed;
  results["statistics"] = seed_statistics(outcomes);
  for (const SeedOutcome& outcome : outcomes) results["seeds"].push_back({{"seed", outcome.seed}, {"results", outcome.results}});
  copy_run_files(best->folder, root);
  files::write_json(root + "/seed_results.json", {{"seeds", results["seeds"]}, {"statistics", results["statistics"]}, {"kept_seed", best->seed}});
}

/// One model of all rows, for the median of the folds' best epochs.
void refit(const Prepared& prepared, const CrossValidationOutcome& folds, const report::EventBus& events, Json& results) {
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
  if (fitted.result.stopped_by != "signal") results.update(finish(request, fitted, request.folder, folds.manifest).results);
}

void run_folds(const Prepared& prepared, const report::EventBus& events, Json& results) {
  const CrossValidationOutcome folds = cross_validate(prepared, events);
  if (folds.stopped) {
    results["stopped_by"] = "signal";
    return;
  }
  results["cross_validation"] = folds.summary;
  if (prepared.options.cross_validation.refit) {
    refit(prepared, folds, events, results);
    return;
  }
  const std::string& root = prepared.options.output_dir;
  const ManifestInput manifest{.prepared = &prepared, .request = nullptr, .fit = nullptr, .reopened = nullptr, .cross_validation = folds.manifest};
  files::write_json(root + "/run_manifest.json", make_manifest(manifest, root));
}

}  // namespace

Json majority_rate(const data::LabelMap& labels, const files::ListView<data::Example>& train, const files::ListView<data::Example>& rows) {
  if (labels.kind != data::TargetKind::single || rows.empty()) return nullptr;
  const auto count = [](const files::ListView<data::Example>& examples) {
    std::map<std::string, std::size_t> counts;
    examples.for_each([&](const data::Example& example) {
      if (const auto* label = std::get_if<data::ClassLabel>(&example.target)) ++counts[label->name];
    });
    return counts;
  };
  const auto in_train = count(train);
  const auto most = std::max_element(in_train.begin(), in_train.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  auto in_rows = count(rows);
  return static_cast<double>(in_rows[most->first]) / static_cast<double>(rows.size());
}

Json plan(const RunOptions& options, const report::EventBus& events) {
  check_output_folder(options);
  const Prepared prepared = prepare(options, events);
  check_resumption(prepared);
  check_space(prepared);
  Json plan = {{"data", prepared.data_summary}, {"model", prepared.model_summary}};
  if (const Json rounds = plan_of_rounds(prepared); !rounds.is_null()) plan["self_training"] = rounds;
  if (!options.cross_validation.enabled) return plan;
  const FoldJobs jobs = fold_jobs(prepared);
  for (const FoldJob& fold : jobs.folds) {
    plan["folds"].push_back({{"name", fold.name}, {"train", fold.train.size()}, {"inner_validation", fold.inner_validation.size()}, {"held_out", fold.held_out.size()}});
  }
  plan["warnings"] = jobs.warnings;
  return plan;
}

Json run(const RunOptions& given, report::EventBus& events, const Shared& shared) {
  const Stopwatch watch;
  set_threads(given.threads);
  check_output_folder(given);
  const RunOptions options = with_precision_decided(given);
  const auto kept = std::make_shared<report::HeldEvents>();
  events.add(kept);
  const auto warnings = std::make_shared<report::Warnings>();
  events.add(warnings);
  const models::Execution execution = execution_of(options);
  const CostMeter meter(options.cost, execution, energy_counters(execution.device), events);
  events.emit({{"event", "run_begin"}, {"time", utc_timestamp()}, {"output_dir", options.output_dir}, {"environment", environment()},
               {"execution", describe(execution)}});
  Prepared prepared = prepare(options, events, shared.prefix_cache);
  prepared.seals_test = shared.seals_test;
  check_folds(prepared);
  check_resumption(prepared);
  check_space(prepared);
  if (const std::string hint = busy_hint(machine_load()); !hint.empty()) log::info(hint);
  const std::unique_ptr<files::FolderLock> lock = claim_output_folder(options);
  install_stop_signals();
  prepared.prefix_cache->spill_to(options.output_dir);
  keep_tokens(prepared);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(prepared.options));
  kept->release_to(std::make_shared<report::EventFile>(options.output_dir + "/events.jsonl"));

  Json results = {{"output_dir", options.output_dir}, {"about", options.about}, {"data", prepared.data_summary},
                  {"model", prepared.model_summary}, {"stopped_by", "end"}};
  for (const auto& [name, rows] : {std::pair{"train", &prepared.train}, {"validation", &prepared.validation}, {"test", &prepared.test}}) {
    results["majority"][name] = majority_rate(prepared.labels, prepared.train.examples, rows->examples);
  }
  if (options.cross_validation.enabled) {
    run_folds(prepared, events, results);
  } else {
    run_seeds(prepared, events, results);
  }
  if (const Json opening = noted_opening(options); !opening.is_null()) results["opening"] = opening;
  if (prepared.prefix_cache->counts().texts_computed > 0) results["prefix_cache"] = prepared.prefix_cache->summary();
  if (!warnings->messages().empty()) results["warnings"] = warnings->messages();
  results["seconds"] = watch.seconds();
  results["phases"] = meter.phases();
  results["cost"] = meter.of_run(results["seconds"].get<double>());
  files::Json end = {{"event", "run_end"}, {"stopped_by", results["stopped_by"]}, {"seconds", results["seconds"]}, {"phases", results["phases"]},
                     {"cost", results["cost"]}};
  if (const auto peak = tensor::peak_memory(execution.device)) results["gpu_memory_peak"] = end["gpu_memory_peak"] = *peak;
  events.emit(end);
  if (results["stopped_by"] == "signal") return results;
  files::write_json(options.output_dir + "/cost_results.json", results["cost"]);
  write_report(prepared, results);
  return results;
}

}  // namespace attune::job
