// See verify.h.
#include "attune/job/verify.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/job/fit.h"
#include "attune/job/manifest.h"
#include "job/folds.h"
#include "job/lanes.h"
#include "job/self_training.h"
#include "job/vector_head.h"
#include "job/verify_folder.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

// Level D2 of docs/reproducibility.md: another machine or thread count may move the loss by so much over the first steps.
constexpr double kLossTolerance = 1e-5;
constexpr double kGradNormTolerance = 1e-3;

/// What the repetition of one training showed.
struct Replay {
  std::string training;
  std::int64_t steps = 0;
  std::int64_t recorded = 0;
  std::int64_t first_difference = 0;  ///< 0 = none
  std::string what = {};
  bool within_tolerance = true;
};

bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b)); }

std::string step_difference(const Json& recorded, const train::TrajectoryPoint& now) {
  const double loss = recorded["loss"].get<double>(), norm = recorded["grad_norm"].get<double>();
  if (now.loss != loss) return concat("loss is ", format_number(now.loss), ", recorded ", format_number(loss));
  if (now.grad_norm != norm) return concat("gradient norm is ", format_number(now.grad_norm), ", recorded ", format_number(norm));
  const bool has_hashes = recorded.contains("weights_sha256") && !now.weights_sha256.empty();
  return has_hashes && recorded["weights_sha256"] != now.weights_sha256 ? "the weights after the step have another hash" : "";
}

Replay compare(const std::string& training, const Json& recorded, const std::vector<train::TrajectoryPoint>& now) {
  Replay replay{.training = training, .recorded = static_cast<std::int64_t>(recorded.size())};
  for (const train::TrajectoryPoint& point : now) {
    const auto line = std::find_if(recorded.begin(), recorded.end(), [&](const Json& entry) { return entry["step"] == point.step; });
    if (line == recorded.end()) continue;
    ++replay.steps;
    replay.within_tolerance = replay.within_tolerance && near(point.loss, (*line)["loss"].get<double>(), kLossTolerance) &&
                              near(point.grad_norm, (*line)["grad_norm"].get<double>(), kGradNormTolerance);
    const std::string what = step_difference(*line, point);
    if (replay.first_difference != 0 || what.empty()) continue;
    replay.first_difference = point.step;
    replay.what = what;
  }
  return replay;
}

/// That the fit had: of several seeds perhaps fewer than the run.
int threads_of(const FitRequest& request, const Json& manifest) {
  const std::vector<std::uint64_t>& seeds = request.prepared->options.seeds;
  const auto seed = std::find(seeds.begin(), seeds.end(), request.seed);
  if (manifest.contains("cross_validation") || seed == seeds.end()) return run_threads();
  return lanes_of_seeds(*request.prepared).threads(static_cast<std::size_t>(seed - seeds.begin()));
}

/// The fit whose model lies in the folder: a seed's, or the refit after a cross-validation.
Replay replay_fit(const Json& manifest, const Prepared& prepared, std::optional<std::int64_t> steps, const report::EventBus& events) {
  const Json& recorded = manifest["fit"];
  FitRequest request;
  request.prepared = &prepared;
  request.train = prepared.train.encoded;
  if (recorded["validation_rows"].get<std::int64_t>() > 0) request.validation = prepared.validation.encoded;
  request.validation_examples = prepared.validation.examples;
  request.seed = recorded["seed"].get<std::uint64_t>();
  if (recorded["epochs"].is_number()) request.epochs = recorded["epochs"].get<double>();
  request.max_steps = steps;
  request.events = &events;
  const ThreadsOfLane threads(threads_of(request, manifest));
  const std::string name = manifest.contains("cross_validation") ? std::string("refit") : concat("seed ", request.seed);
  const Fit fitted = fit_with_rounds(request);
  Replay replay = compare(name, manifest["trajectory"], fitted.result.trajectory);
  if (fitted.taught != recorded.value("taught", std::string())) {
    replay.first_difference = 1;
    replay.what = "the last round of self-training takes other rows, or gives them other labels";
    replay.within_tolerance = false;
  }
  const Json head = fitted.head ? Json(sha256_of(*fitted.head)) : Json(nullptr);
  const bool is_whole = replay.steps == replay.recorded && replay.first_difference == 0;
  if (is_whole && head != recorded.value("head_sha256", Json(nullptr))) {
    replay.first_difference = replay.steps + 1;
    replay.what = "the head that is computed from the vectors has other values";
  }
  return replay;
}

Replay replay_fold(const Json& recorded, const FoldJob& fold, const Prepared& prepared, std::optional<std::int64_t> steps,
                   const report::EventBus& events) {
  FitRequest request = fold_request(prepared, fold, events);
  request.max_steps = steps;
  const Fit fitted = fit(request);
  Replay replay = compare(fold.name, recorded["trajectory"], fitted.result.trajectory);
  if (replay.steps < replay.recorded || replay.first_difference != 0) return replay;
  const Json predictions_sha256 = files::sha256_hex(predict_held_out(fitted, fold, request).dump());
  if (predictions_sha256 != recorded["predictions_sha256"]) {
    replay.first_difference = replay.steps;
    replay.what = "the predictions of the held-out rows are others";
  }
  return replay;
}

/// Those folds that there are records of, side by side as they were trained.
std::vector<Replay> replay_folds(const Json& records, const Prepared& prepared, std::optional<std::int64_t> steps, const report::EventBus& events) {
  const std::vector<FoldJob> folds = fold_jobs(prepared).folds;
  const Lanes lanes = lanes_of_folds(prepared, folds.size());
  if (!steps) fill_prefix_cache(prepared, lanes, std::array{&prepared.train}, events);
  std::vector<std::optional<Replay>> replayed(folds.size());
  run_lanes(lanes, events, [&](std::size_t number, const report::EventBus& own_events) {
    const auto is_it = [&](const Json& record) { return record["name"] == folds[number].name; };
    const auto record = std::find_if(records.begin(), records.end(), is_it);
    if (record != records.end()) replayed[number] = replay_fold(*record, folds[number], prepared, steps, own_events);
    return true;
  });
  std::vector<Replay> replays;
  for (std::optional<Replay>& replay : replayed) {
    if (replay) replays.push_back(std::move(*replay));
  }
  return replays;
}

/// Every training of the run that this folder has a record of.
std::vector<Replay> replay_all(const Json& manifest, const Prepared& prepared, std::optional<std::int64_t> steps, const report::EventBus& events) {
  std::vector<Replay> replays;
  if (manifest.contains("cross_validation")) {
    replays = replay_folds(manifest["cross_validation"]["folds"], prepared, steps, events);
  }
  if (manifest.contains("fit")) replays.push_back(replay_fit(manifest, prepared, steps, events));
  return replays;
}

/// What a reader might expect to have been repeated and was not.
std::vector<std::string> not_replayed(const Json& manifest, const std::vector<Replay>& replays, const RunOptions& options) {
  std::vector<std::string> sentences;
  const std::size_t folds = manifest.contains("cross_validation") ? manifest["cross_validation"]["folds"].size() : 0;
  const std::size_t expected = folds + (manifest.contains("fit") ? 1 : 0);
  if (replays.size() < expected) sentences.push_back(concat(expected - replays.size(), " recorded folds do not exist under the configuration of now"));
  const auto cut = std::count_if(replays.begin(), replays.end(), [](const Replay& replay) { return replay.steps < replay.recorded; });
  if (cut > 0) sentences.push_back("the steps behind --steps, and the predictions that follow from them");
  if (options.seeds.size() > 1 && manifest.contains("fit") && folds == 0) {
    sentences.push_back("the other seeds: attune verify RUN/seed-<seed>");
  }
  return sentences;
}

Json to_json(const Replay& replay) {
  Json json = {{"training", replay.training}, {"steps", replay.steps}, {"of", replay.recorded}};
  if (replay.first_difference != 0) json["first_difference"] = {{"step", replay.first_difference}, {"what", replay.what}};
  return json;
}

}  // namespace

Json verify(const VerifyOptions& options, const report::EventBus& events) {
  const std::string path = (fs::path(options.run) / "run_manifest.json").string();
  if (!path_exists(path, ErrorKind::usage)) {
    throw Error(ErrorKind::usage, {.file = options.run, .what = "there is no run_manifest.json", .where = "",
                                   .hint = "name the output folder of a finished `attune train`, or of a study"});
  }
  const Json manifest = read_manifest(path);
  const RunOptions run_options = config::load((fs::path(options.run) / "config.resolved.json").string(), {}, machine());
  set_threads(run_options.threads);

  std::vector<std::string> differences, environment_differences;
  check_tensors(manifest, options.run, differences);
  check_files(manifest, options.run, differences);
  difference(manifest["configuration"], config::effective(run_options), "configuration", differences);
  difference(manifest["environment"], environment(), "environment", environment_differences);
  difference(manifest.value("execution", Json(nullptr)), describe(execution_of(run_options)), "execution", environment_differences);
  const std::optional<Prepared> prepared = prepare_again(manifest, run_options, events, differences);

  std::vector<Replay> replays;
  std::vector<std::string> left_out = {"all trainings: what they read is no longer there as it was"};
  if (prepared) {
    replays = replay_all(manifest, *prepared, options.steps, events);
    left_out = not_replayed(manifest, replays, run_options);
  }
  Json result = {{"run", options.run}, {"differences", differences}, {"environment_differences", environment_differences},
                 {"replays", Json::array()}, {"steps_replayed", 0}, {"not_replayed", left_out}};
  bool equal = differences.empty(), near = differences.empty();
  std::int64_t steps = 0;
  for (const Replay& replay : replays) {
    steps += replay.steps;
    equal = equal && replay.first_difference == 0;
    near = near && replay.within_tolerance;
    result["replays"].push_back(to_json(replay));
  }
  result["steps_replayed"] = steps;
  result["verdict"] = equal ? "bit-equal" : near ? "within tolerance" : "changed";
  return result;
}

}  // namespace attune::job
