// See sweep.h.
#include "attune/job/sweep.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/manifest.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/job/summary.h"
#include "attune/report/forward.h"
#include "attune/train/early_stopping.h"
#include "job/base_hashes.h"
#include "job/sweep_results.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

constexpr const char* kPointFile = "point_results.json";

train::WatchedMetric watched(const RunOptions& options) { return train::best_model_metric(options.training, options.early_stopping); }

bool has_validation(const data::DataOptions& data) { return !data.validation.empty() || data.val_size > 0; }
bool has_test(const data::DataOptions& data) { return !data.test.empty() || data.test_size > 0; }

void check_comparable(const std::vector<SweepPoint>& points) {
  const RunOptions& first = points.front().options;
  const auto refuse = [](const SweepPoint& point, const std::string& what, const char* hint) {
    throw Error(ErrorKind::usage, {.file = "", .what = what, .where = concat(point.name, " (", join(point.settings, ", "), ")"), .hint = hint});
  };
  for (const SweepPoint& point : points) {
    const RunOptions& options = point.options;
    if (!options.cross_validation.enabled && !has_validation(options.data)) {
      refuse(point, "there is nothing to choose by: no validation rows and no folds", "give data.validation, or cross_validation");
    }
    if (options.cross_validation.enabled != first.cross_validation.enabled) {
      refuse(point, "some points have folds and some have not", "give all of them the same rows to be compared on");
    }
    if (watched(options).name != watched(first).name) {
      refuse(point, concat("it is measured by ", main_metric(options), ", the first by ", main_metric(first)),
             "give all points one training.metric_for_best_model");
    }
  }
}

Json describe(const SweepPoint& point) { return {{"name", point.name}, {"settings", point.settings}}; }

/// "point-2 (training.learning_rate=0.1)".
std::string title_of(const SweepPoint& point) { return concat(point.name, " (", join(point.settings, ", "), ")"); }

/// Of a point that failed otherwise than by diverging, which ends the sweep.
Error ended_by(const SweepPoint& point, const Error& error) {
  const ErrorText& text = error.text();
  const std::string way_on = concat("when that is mended, the same command with --resume goes on at ", point.name,
                                    " and keeps the points before it; a value that cannot be trained has to be left out, in another output_dir");
  return {error.kind(), {.file = text.file,
                         .what = concat("the sweep ends at ", title_of(point), ": ", text.what),
                         .where = text.where,
                         .hint = text.hint.empty() ? way_on : concat(text.hint, "; ", way_on)}};
}

/// The sweep's runs, one after another.
class Sweep {
 public:
  Sweep(const RunOptions& options, const std::vector<SweepPoint>& points, const report::EventBus& events)
      : options_(options), points_(points), events_(events), resumes_(!options.resume_from_checkpoint.empty()) {
    shared_.seals_test = true;
    shared_.prefix_cache = std::make_shared<train::PrefixCache>(train::prefix_cache_bytes(options.training.prefix_cache_mib));
  }

  /// What is known of each point so far; fewer than there are points after a signal.
  Json run_points() {
    Json done = Json::array();
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (stop_signal() != 0) break;  // it came when the point before had been trained
      const SweepPoint& point = points_[i];
      events_.emit({{"event", "point_begin"}, {"name", point.name}, {"index", i + 1}, {"points", points_.size()}, {"settings", point.settings}});
      Json result = result_of(point);
      if (result.value("stopped_by", std::string()) == "signal") break;
      done.push_back(std::move(result));
    }
    return done;
  }

  /// What its run found.
  Json results_of(const SweepPoint& point) const { return read_point(path_of(point))["run"]; }

  /// Opens the test rows to the model in `folder`, a copy of the point's, and writes there what a run with them would have; the results of
  /// the point with these.
  Json score_test(const SweepPoint& point, const std::string& folder) {
    RunOptions options = point.options;
    options.output_dir = folder;
    const ReopenedRun reopened = reopen_run(options, shared_.prefix_cache);
    const Prepared& prepared = *reopened.prepared;
    const Json opening = note_opening(prepared, "attune sweep");
    const Fit& fit = reopened.fit;
    FitRequest request;
    request.prepared = &prepared;
    request.events = &events_;
    const Scored scored = score_rows(fit, prepared.test, request);
    files::write_file_atomically(folder + "/predictions.jsonl", prediction_lines(*fit.task, scored.predictions, prepared.test.examples, false));
    add_results(folder, {.name = "test", .metrics = scored.summary["metrics"], .intervals = scored.summary["intervals"]});
    Json results = results_of(point);
    results["output_dir"] = folder;
    results["test"] = scored.summary;
    results["opening"] = opening;
    write_report(prepared, results);
    Json manifest = read_manifest(folder + "/run_manifest.json");
    manifest["files"] = file_hashes(folder);
    files::write_json(folder + "/run_manifest.json", manifest);
    return results;
  }

 private:
  static std::string path_of(const SweepPoint& point) { return concat(point.options.output_dir, "/", kPointFile); }

  static Json read_point(const std::string& path) {
    Json stored = files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 30});
    if (stored.is_object() && stored.contains("identity") && stored.contains("run") && stored.value("result", Json()).is_object()) return stored;
    throw Error(ErrorKind::resume_refused, {.file = path, .what = "this is no result of a point of a sweep, or it is damaged", .where = "",
                                            .hint = "remove it, the point is then run again"});
  }

  /// What must not have changed for a finished point to count.
  Json identity_of(const RunOptions& options) {
    Json identity = {{"configuration", config::fingerprint(options)}, {"data", Json::object()}};
    for (const auto* paths : {&options.data.train, &options.data.validation, &options.data.test, &options.data.unlabelled}) {
      for (const std::string& path : *paths) {
        identity["data"][path] = known("data " + path, [&] { return Json(files::sha256_file(path, ErrorKind::data)); });
      }
    }
    const bool with_weights = options.model.init != "random";
    const std::string base = models::resolve_model_path(options.model.path);
    identity["base"] = known(concat("base ", with_weights, " ", base), [&] { return BaseHashes(base, with_weights).get(); });
    return identity;
  }

  /// Points mostly share their files, whose hashes are computed once.
  const Json& known(const std::string& name, const std::function<Json()>& compute) {
    const auto found = hashes_.find(name);
    return found != hashes_.end() ? found->second : hashes_.emplace(name, compute()).first->second;
  }

  Json result_of(const SweepPoint& point) {
    const std::string path = path_of(point);
    const Json identity = identity_of(point.options);
    if (resumes_ && path_exists(path, ErrorKind::resume_refused)) return finished(path, identity);
    Json result = describe(point), run;
    const Stopwatch clock;
    try {
      run = run_one(point);
      if (run["stopped_by"] == "signal") return {{"stopped_by", "signal"}};
      const Measured found = measured(run, main_metric(point.options));
      result["value"] = found.value;
      result["interval"] = found.interval;
      result["seconds"] = run["seconds"];
      result["cost"] = point_cost(run);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::diverged) throw ended_by(point, error);
      log::warning(concat(title_of(point), ": ", error.what()));
      result["failed"] = error.text().what;
      result["cost"] = {{"seconds", clock.seconds()}};
    } catch (...) {
      log::warning(concat("the sweep ends at ", title_of(point), "; --resume goes on there"));
      throw;
    }
    files::write_json(path, {{"identity", identity}, {"result", result}, {"run", run}});
    return result;
  }

  Json run_one(const SweepPoint& point) const {
    RunOptions options = point.options;
    if (!path_exists(options.output_dir, ErrorKind::storage)) options.resume_from_checkpoint.clear();  // it had not begun
    report::EventBus own;
    own.add(std::make_shared<report::Forward>(events_));
    return run(options, own, shared_);
  }

  static Json finished(const std::string& path, const Json& identity) {
    Json stored = read_point(path);
    if (stored["identity"] == identity) return stored["result"];
    throw Error(ErrorKind::resume_refused, {.file = path, .what = "it is of another configuration, other rows or another base",
                                            .where = "", .hint = "start the sweep anew in another output_dir"});
  }

  const RunOptions& options_;
  const std::vector<SweepPoint>& points_;
  const report::EventBus& events_;
  bool resumes_;
  Shared shared_;
  std::map<std::string, Json> hashes_;
};

/// What the sweep is, kept so that only the same one goes on in its folder.
void write_or_check_plan(const RunOptions& options, const std::vector<SweepPoint>& points) {
  const std::string path = options.output_dir + "/sweep.json";
  Json plan = Json::array();
  for (const SweepPoint& point : points) plan.push_back(describe(point));
  if (!options.resume_from_checkpoint.empty() && path_exists(path, ErrorKind::resume_refused)) {
    if (files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 24}) == plan) return;
    throw Error(ErrorKind::resume_refused, {.file = path, .what = "the sweep in this folder varies something else", .where = "--vary",
                                            .hint = "resume it with the values it was begun with, or choose another output_dir"});
  }
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  files::write_json(path, plan);
}

}  // namespace

Json sweep(const RunOptions& options, const std::vector<SweepPoint>& points, const report::EventBus& events) {
  check_comparable(points);
  check_output_folder(options);
  const auto lock = claim_output_folder(options);
  write_or_check_plan(options, points);
  const train::WatchedMetric metric = watched(points.front().options);
  Json results = {{"output_dir", options.output_dir},
                  {"metric", main_metric(points.front().options)},
                  {"greater_is_better", metric.greater},
                  {"measured_on", points.front().options.cross_validation.enabled ? "folds" : "validation rows"},
                  {"stopped_by", "end"}};
  Sweep runs(options, points, events);
  results["points"] = runs.run_points();
  if (results["points"].size() < points.size()) {
    results["stopped_by"] = "signal";
    return results;
  }
  results["cost"] = total_cost(results["points"]);
  const Json chosen = best_point(results["points"], results["metric"].get<std::string>(), metric.greater);
  results["chosen"] = chosen["name"];
  results["within_interval"] = within_interval(results["points"], chosen);
  const SweepPoint& point = *std::ranges::find(points, chosen["name"].get<std::string>(), &SweepPoint::name);
  copy_run_files(point.options.output_dir, options.output_dir, kPointFile);
  const bool has_model = !point.options.cross_validation.enabled || point.options.cross_validation.refit;
  Json page = runs.results_of(point);
  if (has_model && has_test(point.options.data)) {
    page = runs.score_test(point, options.output_dir);
    results["test"] = page["test"];
    results["opening"] = page["opening"];
  }
  files::write_json(options.output_dir + "/sweep_results.json", results);
  page["sweep"] = results;
  write_page(point.options, page, options.output_dir);
  return results;
}

}  // namespace attune::job
