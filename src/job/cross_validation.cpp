// See cross_validation.h.
#include "attune/job/cross_validation.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/data/split.h"
#include "attune/files/storage.h"
#include "attune/job/output.h"
#include "attune/metrics/intervals.h"
#include "attune/train/checkpoint.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

data::FoldPlan fold_plan(const Prepared& prepared, std::uint64_t seed) {
  const CrossValidationOptions& cv = prepared.options.cross_validation;
  return {.folds = cv.folds, .repeats = cv.repeats, .stratify = cv.stratify, .seed = cv.seed.value_or(seed)};
}

/// Predictions of a fold as JSON and back, so that a finished fold is never computed twice. Floats survive exactly.
Json dump_predictions(std::span<const task::Prediction> predictions) {
  Json lines = Json::array();
  for (const task::Prediction& p : predictions) {
    lines.push_back({{"example", p.encoded->example}, {"window", p.encoded->window}, {"logits", p.logits},
                     {"loss_sum", p.loss_sum}, {"loss_weight", p.loss_weight}});
  }
  return lines;
}

/// Error{resume_refused}: a file that an earlier run left is not what it wrote.
[[noreturn]] void not_a_fold(const std::string& file, const std::string& what) {
  throw Error(ErrorKind::resume_refused, {.file = file, .what = concat("this is no result of a fold of this run: ", what), .where = "",
                                          .hint = "remove it, the fold is then trained again"});
}

std::vector<task::Prediction> load_predictions(const Json& lines, const std::vector<task::Encoded>& rows, const std::string& file) try {
  std::map<std::pair<std::int64_t, std::int64_t>, const task::Encoded*> by_key;
  for (const task::Encoded& row : rows) by_key[{row.example, row.window}] = &row;
  std::vector<task::Prediction> predictions;
  for (const Json& line : lines) {
    const auto row = by_key.find({line.at("example").get<std::int64_t>(), line.at("window").get<std::int64_t>()});
    if (row == by_key.end()) not_a_fold(file, "it has a row that the data does not have");
    predictions.push_back({.encoded = row->second,
                           .logits = line.at("logits").get<std::vector<float>>(),
                           .loss_sum = line.at("loss_sum").get<double>(),
                           .loss_weight = line.at("loss_weight").get<double>(),
                           .fills = {}});
  }
  return predictions;
} catch (const Json::exception& error) {
  not_a_fold(file, error.what());
}

struct FoldResult {
  FoldOutcome outcome;
  Json predictions;
};

/// What an earlier, interrupted run of the same job (as job_fingerprint tells it) left of a finished fold.
FoldResult read_fold(const std::string& path, const std::string& job) try {
  const Json stored = files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 32});
  train::refuse_other_job(path, train::fingerprint_difference(stored.at("job").get<std::string>(), job));
  FoldResult result;
  result.outcome.metrics = stored.at("metrics");
  result.outcome.best_epoch = stored.at("best_epoch").get<double>();
  result.outcome.stopped_by = stored.at("stopped_by").get<std::string>();
  result.predictions = stored.at("predictions");
  return result;
} catch (const Json::exception& error) {
  not_a_fold(path, error.what());
}

/// What a fold trains on, chooses by, and is scored on: indices of prepared.train.examples.
struct FoldRows {
  data::Rows train, inner_validation, held_out;
};

FitRequest request_of(const Prepared& prepared, const FoldRows& rows, const std::string& folder, std::uint64_t seed) {
  FitRequest request;
  request.prepared = &prepared;
  request.train = rows_of(prepared.train.encoded, rows.train);
  request.validation = rows_of(prepared.train.encoded, rows.inner_validation);
  request.validation_examples = &prepared.train.examples;
  request.seed = seed;
  request.folder = folder;
  request.resume = prepared.options.resume_from_checkpoint.empty() ? "" : "auto";
  return request;
}

FoldResult run_fold(const FitRequest& request, const data::Rows& held_out_rows) {
  const Prepared& prepared = *request.prepared;
  const Fit fitted = fit(request);
  FoldResult result;
  result.outcome.best_epoch = fitted.result.best_step ? fitted.result.best_epoch : fitted.result.epochs;
  result.outcome.stopped_by = fitted.result.stopped_by;
  if (fitted.result.stopped_by == "signal") return result;
  const std::vector<task::Encoded> held_out = rows_of(prepared.train.encoded, held_out_rows);
  const std::vector<task::Prediction> predictions =
      train::predict(*fitted.loaded.model, *fitted.task, held_out, prepared.options.training.per_device_eval_batch_size);
  result.outcome.metrics = fitted.task->score(predictions, prepared.train.examples);
  result.predictions = dump_predictions(predictions);
  return result;
}

FoldResult finished_or_run(const FitRequest& request, const data::Rows& held_out) {
  const std::string path = request.folder + "/fold_result.json";
  const std::string job = job_fingerprint(*request.prepared, request);
  if (!request.resume.empty() && path_exists(path, ErrorKind::resume_refused)) return read_fold(path, job);
  FoldResult result = run_fold(request, held_out);
  if (result.outcome.stopped_by == "signal") return result;
  files::write_json(path, {{"job", job}, {"metrics", result.outcome.metrics}, {"best_epoch", result.outcome.best_epoch},
                           {"stopped_by", result.outcome.stopped_by}, {"predictions", result.predictions}});
  files::remove_folder(request.folder + "/checkpoints");
  return result;
}

Json summarise(const Prepared& prepared, const std::vector<FoldOutcome>& folds, double test_train_ratio) {
  Json summary = {{"folds", Json::array()}, {"mean", Json::object()}, {"sd", Json::object()}, {"interval", Json::object()}};
  for (const FoldOutcome& fold : folds) {
    summary["folds"].push_back({{"repeat", fold.repeat}, {"fold", fold.fold}, {"best_epoch", fold.best_epoch}, {"metrics", fold.metrics}});
  }
  for (const auto& [name, first] : folds.front().metrics.items()) {
    if (!first.is_number() || name == "rows") continue;
    std::vector<double> values;
    for (const FoldOutcome& fold : folds) {
      if (fold.metrics.contains(name) && fold.metrics[name].is_number()) values.push_back(fold.metrics[name].get<double>());
    }
    if (values.size() != folds.size()) continue;
    const metrics::MeanAndSd mean = metrics::mean_and_sd(values);
    const metrics::Interval interval = metrics::corrected_fold_interval(values, test_train_ratio);
    summary["mean"][name] = mean.mean;
    summary["sd"][name] = mean.sd;
    summary["interval"][name] = {interval.low, interval.high};
  }
  summary["interval_method"] = concat("Nadeau–Bengio corrected t over ", folds.size(), " folds, 95 %");
  summary["rows"] = prepared.train.examples.size();
  return summary;
}

FoldRows rows_of_fold(const data::SplitKeys& keys, const data::Fold& fold, double inner_share, const data::FoldPlan& plan) {
  if (inner_share <= 0) return {.train = fold.train, .inner_validation = {}, .held_out = fold.held_out};
  data::Holdout inner = data::inner_validation(keys, fold, inner_share, plan);
  return {.train = std::move(inner.kept), .inner_validation = std::move(inner.held_out), .held_out = fold.held_out};
}

/// Lines of oof_predictions.jsonl: those of predictions.jsonl with logits, row, repeat and fold.
std::string oof_lines_of(const task::Task& task, std::span<const task::Prediction> predictions, const std::vector<data::Example>& examples,
                         const FoldOutcome& fold) {
  std::string lines;
  for (std::size_t begin = 0; begin < predictions.size();) {
    std::size_t end = begin + 1;
    while (end < predictions.size() && predictions[end].encoded->example == predictions[begin].encoded->example) ++end;
    const data::Example& example = examples[predictions[begin].encoded->example];
    Json line = task.describe(predictions.subspan(begin, end - begin), example, true);
    line["row"] = example.row;
    line["repeat"] = fold.repeat;
    line["fold"] = fold.fold;
    lines += line.dump() + "\n";
    begin = end;
  }
  return lines;
}

Json fold_end_event(const FoldOutcome& fold, std::int64_t folds) {
  Json event = {{"event", "fold_end"}, {"fold", fold.fold}, {"folds", folds}, {"repeat", fold.repeat}};
  for (const auto& [metric, value] : fold.metrics.items()) {
    if (value.is_number()) event["test_" + metric] = value;
  }
  return event;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

}  // namespace

void check_folds(const Prepared& prepared) {
  if (!prepared.options.cross_validation.enabled) return;
  const data::SplitKeys keys = data::split_keys(prepared.train.examples);
  const data::FoldPlan plan = fold_plan(prepared, prepared.options.seeds.front());
  for (const data::Fold& fold : data::make_folds(keys, plan).folds) {
    rows_of_fold(keys, fold, prepared.options.cross_validation.inner_validation, plan);
  }
}

CrossValidationOutcome cross_validate(const Prepared& prepared, std::uint64_t seed, const report::EventBus& events) {
  const CrossValidationOptions& cv = prepared.options.cross_validation;
  const std::string root = prepared.options.output_dir + "/cv";
  CrossValidationOutcome outcome;
  std::vector<task::Prediction> pooled;
  std::string oof_lines;
  const std::unique_ptr<task::Task> task = make_fitted_task(prepared, {});

  const data::SplitKeys keys = data::split_keys(prepared.train.examples);
  const data::FoldPlan plan = fold_plan(prepared, seed);
  const data::FoldSet set = data::make_folds(keys, plan);
  for (const std::string& warning : set.warnings) log::warning(warning);
  double test_train_ratio = 0;
  for (const data::Fold& fold : set.folds) {
    const std::string name = cv.repeats > 1 ? concat("repeat-", fold.repeat + 1, "-fold-", fold.fold + 1) : concat("fold-", fold.fold + 1);
    const std::string folder = root + "/" + name;
    fs::create_directories(folder);
    events.emit({{"event", "fold_begin"}, {"fold", fold.fold + 1}, {"folds", cv.folds}, {"repeat", fold.repeat + 1}, {"repeats", cv.repeats}, {"seed", seed}});
    const FoldRows rows = rows_of_fold(keys, fold, cv.inner_validation, plan);
    test_train_ratio += static_cast<double>(rows.held_out.size()) / static_cast<double>(rows.train.size()) / static_cast<double>(set.folds.size());
    FitRequest request = request_of(prepared, rows, folder, seed);
    request.events = &events;
    FoldResult result = finished_or_run(request, rows.held_out);
    if (result.outcome.stopped_by == "signal") {
      outcome.stopped = true;
      return outcome;
    }
    result.outcome.repeat = fold.repeat + 1;
    result.outcome.fold = fold.fold + 1;
    const std::vector<task::Prediction> predictions = load_predictions(result.predictions, prepared.train.encoded, folder + "/fold_result.json");
    oof_lines += oof_lines_of(*task, predictions, prepared.train.examples, result.outcome);
    pooled.insert(pooled.end(), predictions.begin(), predictions.end());
    events.emit(fold_end_event(result.outcome, cv.folds));
    outcome.folds.push_back(std::move(result.outcome));
  }
  files::write_file_atomically(root + "/oof_predictions.jsonl", oof_lines);
  outcome.summary = summarise(prepared, outcome.folds, test_train_ratio);
  Json pooled_metrics = task->score(pooled, prepared.train.examples);
  pooled_metrics.update(task->detail(pooled, prepared.train.examples));
  outcome.summary["pooled"] = {{"metrics", pooled_metrics}, {"intervals", task->intervals(pooled, prepared.train.examples)}};
  std::vector<double> best_epochs;
  for (const FoldOutcome& fold : outcome.folds) best_epochs.push_back(fold.best_epoch);
  outcome.median_best_epoch = median(best_epochs);
  outcome.summary["median_best_epoch"] = outcome.median_best_epoch;
  files::write_json(root + "/cv_results.json", outcome.summary);
  return outcome;
}

}  // namespace attune::job
