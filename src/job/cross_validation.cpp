// See cross_validation.h.
#include "attune/job/cross_validation.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/job/manifest.h"
#include "attune/job/output.h"
#include "attune/metrics/intervals.h"
#include "attune/report/phase.h"
#include "attune/train/checkpoint.h"
#include "job/folds.h"
#include "job/lanes.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

/// {"metrics", "best_epoch", "stopped_by", "predictions", "trajectory"} of one fold; of a stopped one only "stopped_by".
Json run_fold(const FitRequest& request, const FoldJob& fold) {
  const Prepared& prepared = *request.prepared;
  const Fit fitted = fit(request);
  if (fitted.result.stopped_by == "signal") return {{"stopped_by", "signal"}};
  const Json predictions = predict_held_out(fitted, fold, request);
  const std::vector<task::Prediction> loaded = load_predictions(predictions, prepared.train.encoded);
  return {{"metrics", fitted.task->scores(loaded, prepared.train.examples)->metrics()},
          {"best_epoch", fitted.result.best_step ? fitted.result.best_epoch : fitted.result.epochs},
          {"stopped_by", fitted.result.stopped_by},
          {"predictions", predictions},
          {"trajectory", trajectory_json(fitted.result.trajectory)}};
}

/// What an earlier, interrupted run of the same job (as job_fingerprint tells it) left of a finished fold, read with every
/// type checked. Error{resume_refused}: the file is not what such a run wrote.
Json read_fold(const std::string& path, const std::string& job, std::span<const task::Encoded> rows) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::resume_refused, {.file = path, .what = concat("this is no result of a fold of this run: ", what), .where = "",
                                            .hint = "remove it, the fold is then trained again"});
  };
  Json stored = files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 32});
  try {
    train::refuse_other_job(path, train::fingerprint_difference(stored.at("job").get<std::string>(), job));
    stored.at("best_epoch").get<double>();
    stored.at("stopped_by").get<std::string>();
    if (!stored.at("metrics").is_object()) refuse("metrics is no object");
    if (!stored.at("trajectory").is_array()) refuse("trajectory is no list");
    load_predictions(stored.at("predictions"), rows);
  } catch (const Json::exception& error) {
    refuse(error.what());
  } catch (const std::out_of_range&) {
    refuse("it has a row that the data does not have");
  }
  return stored;
}

std::string result_file(const std::string& fold_folder) { return fold_folder + "/fold_result.json"; }

/// Whether there is a result that an earlier, interrupted run left.
bool is_finished_before(const Prepared& prepared, const std::string& fold_folder) {
  return !prepared.options.resume_from_checkpoint.empty() && path_exists(result_file(fold_folder), ErrorKind::resume_refused);
}

/// The fold's result from an earlier, interrupted run of the same job, or by training.
Json finished_or_run(const Prepared& prepared, const FoldJob& fold, const std::string& folder, const report::EventBus& events) {
  FitRequest request = fold_request(prepared, fold, events);
  request.folder = folder;
  request.resume = prepared.options.resume_from_checkpoint.empty() ? "" : "auto";
  const std::string path = result_file(folder);
  const std::string job = job_fingerprint(prepared, request);
  if (is_finished_before(prepared, folder)) return read_fold(path, job, prepared.train.encoded);
  Json result = run_fold(request, fold);
  if (result["stopped_by"] == "signal") return result;
  result["job"] = job;
  files::write_json(path, result);
  files::remove_folder(folder + "/checkpoints");
  files::remove_folder(folder + "/best");
  return result;
}

/// Lines of oof_predictions.jsonl: those of predictions.jsonl with logits, row, repeat and fold.
std::string oof_lines(const task::Task& task, std::span<const task::Prediction> predictions, std::span<const data::Example> examples,
                      const FoldJob& fold) {
  std::string lines;
  for_each_example(predictions, [&](std::span<const task::Prediction> windows) {
    const data::Example& example = examples[windows.front().encoded->example];
    Json line = task.describe(windows, example, true);
    line["row"] = example.row;
    line["repeat"] = fold.repeat;
    line["fold"] = fold.fold;
    lines += line.dump() + "\n";
  });
  return lines;
}

Json fold_begin_event(const FoldJob& fold, const Prepared& prepared) {
  const CrossValidationOptions& cv = prepared.options.cross_validation;
  return {{"event", "fold_begin"}, {"fold", fold.fold},       {"folds", cv.folds},
          {"repeat", fold.repeat}, {"repeats", cv.repeats},   {"seed", prepared.options.seeds.front()},
          {"rows", fold.train.size()}, {"inner_validation_rows", fold.inner_validation.size()}, {"held_out_rows", fold.held_out.size()}};
}

Json fold_end_event(const FoldJob& fold, std::int64_t folds, const Json& metrics) {
  Json event = {{"event", "fold_end"}, {"fold", fold.fold}, {"folds", folds}, {"repeat", fold.repeat}};
  for (const auto& [metric, value] : metrics.items()) {
    if (value.is_number()) event["test_" + metric] = value;
  }
  return event;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

/// All folds as they come in, from any thread and in any order; taken over in their own.
class Collected {
 public:
  Collected(const Prepared& prepared, const std::vector<FoldJob>& folds)
      : prepared_(prepared), jobs_(folds), task_(make_fitted_task(prepared, class_weights(prepared, {}))) {}

  void add(std::size_t number, Json result) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(number, std::move(result));
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first == folds_.size(); next = waiting_.erase(next)) {
      take_over(jobs_[next->first], next->second);
    }
  }

  bool is_complete() const { return folds_.size() == jobs_.size(); }

  CrossValidationOutcome outcome() const {
    CrossValidationOutcome outcome{.summary = summary(), .manifest = {{"folds", manifest_}}, .median_best_epoch = median(best_epochs_)};
    outcome.summary["median_best_epoch"] = outcome.median_best_epoch;
    return outcome;
  }

  const std::string& oof_predictions() const { return oof_lines_; }

 private:
  void take_over(const FoldJob& fold, const Json& result) {
    const std::vector<task::Prediction> predictions = load_predictions(result["predictions"], prepared_.train.encoded);
    oof_lines_ += oof_lines(*task_, predictions, prepared_.train.examples, fold);
    pooled_.insert(pooled_.end(), predictions.begin(), predictions.end());
    best_epochs_.push_back(result["best_epoch"].get<double>());
    test_train_ratios_.push_back(static_cast<double>(fold.held_out.size()) / static_cast<double>(fold.train.size()));
    const Json rows = {{"train", fold.train.size()}, {"inner_validation", fold.inner_validation.size()}, {"held_out", fold.held_out.size()}};
    folds_.push_back({{"repeat", fold.repeat}, {"fold", fold.fold}, {"rows", rows}, {"best_epoch", result["best_epoch"]}, {"metrics", result["metrics"]}});
    manifest_.push_back({{"name", fold.name}, {"rows", rows}, {"trajectory", result["trajectory"]},
                         {"predictions_sha256", files::sha256_hex(result["predictions"].dump())}});
  }

  Json summary() const {
    Json summary = {{"folds", folds_}, {"mean", Json::object()}, {"sd", Json::object()}, {"interval", Json::object()}};
    for (const auto& [name, first] : folds_.front()["metrics"].items()) {
      if (first.is_number() && name != "rows" && name != "windows") add_metric(name, summary);
    }
    summary["interval_method"] = concat("Nadeau–Bengio corrected t over ", folds_.size(), " folds, 95 %, cut at what a metric can be",
                                        summary["mean"].contains("perplexity") ? "; of perplexity by its logarithm" : "");
    summary["rows"] = prepared_.train.examples.size();
    summary["pooled"] = summary_of(*task_->scores(pooled_, prepared_.train.examples), prepared_.options);
    return summary;
  }

  /// Mean, sd and interval of a metric that every fold has.
  void add_metric(const std::string& name, Json& summary) const {
    std::vector<double> values;
    for (const Json& fold : folds_) {
      const Json& metrics = fold["metrics"];
      if (!metrics.contains(name) || !metrics[name].is_number()) return;
      values.push_back(metrics[name].get<double>());
    }
    const metrics::MeanAndSd mean = metrics::mean_and_sd(values);
    const metrics::Interval interval =
        metrics::fold_interval(name, metrics::bounds_of(name, task_->metric_names()), values, metrics::mean_and_sd(test_train_ratios_).mean);
    summary["mean"][name] = mean.mean;
    summary["sd"][name] = mean.sd;
    summary["interval"][name] = {interval.low, interval.high};
  }

  const Prepared& prepared_;
  const std::vector<FoldJob>& jobs_;
  std::unique_ptr<task::Task> task_;
  std::mutex mutex_;  ///< over all that follows, until all folds have ended
  std::map<std::size_t, Json> waiting_;  ///< for folds before them
  std::vector<task::Prediction> pooled_;
  std::string oof_lines_;
  std::vector<double> best_epochs_, test_train_ratios_;
  Json folds_ = Json::array(), manifest_ = Json::array();
};

}  // namespace

void check_folds(const Prepared& prepared) {
  if (prepared.options.cross_validation.enabled) fold_jobs(prepared);
}

CrossValidationOutcome cross_validate(const Prepared& prepared, const report::EventBus& events) {
  const std::string root = prepared.options.output_dir + "/cv";
  const FoldJobs jobs = fold_jobs(prepared);
  for (const std::string& warning : jobs.warnings) {
    log::warning(warning);
    events.emit({{"event", "warning"}, {"message", warning}});
  }
  const Lanes lanes = lanes_of_folds(prepared, jobs.folds.size());
  const auto is_finished = [&](const FoldJob& fold) { return is_finished_before(prepared, root + "/" + fold.name); };
  if (!std::all_of(jobs.folds.begin(), jobs.folds.end(), is_finished)) {
    fill_prefix_cache(prepared, lanes, std::array{&prepared.train}, events);
  }
  Collected collected(prepared, jobs.folds);
  run_lanes(lanes, events, [&](std::size_t number, const report::EventBus& own_events) {
    const FoldJob& fold = jobs.folds[number];
    const std::string folder = root + "/" + fold.name;
    fs::create_directories(folder);
    own_events.emit(fold_begin_event(fold, prepared));
    Json result = finished_or_run(prepared, fold, folder, own_events);
    if (result["stopped_by"] == "signal") return false;
    own_events.emit(fold_end_event(fold, prepared.options.cross_validation.folds, result["metrics"]));
    collected.add(number, std::move(result));
    return true;
  });
  if (!collected.is_complete()) return {.summary = {}, .manifest = {}, .median_best_epoch = 0, .stopped = true};
  report::Phase scoring(events, "scoring");
  CrossValidationOutcome outcome = collected.outcome();
  scoring.end();
  files::write_file_atomically(root + "/oof_predictions.jsonl", collected.oof_predictions());
  files::write_json(root + "/cv_results.json", outcome.summary);
  return outcome;
}

}  // namespace attune::job
