// See verify.h.
#include "attune/job/verify.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/fit.h"
#include "attune/job/manifest.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

// Level D2 of docs/reproducibility.md: another machine or thread count may move the loss by so much over the first steps.
constexpr double kLossTolerance = 1e-5;
constexpr double kGradNormTolerance = 1e-3;

/// Leaves that differ between two JSON values, as "path: old → new".
void difference(const Json& recorded, const Json& now, const std::string& path, std::vector<std::string>& out) {
  if (recorded == now) return;
  if (!recorded.is_object() || !now.is_object()) {
    out.push_back(concat(path, ": recorded ", recorded.dump(), ", now ", now.dump()));
    return;
  }
  for (const auto& [key, value] : recorded.items()) {
    difference(value, now.contains(key) ? now[key] : Json(nullptr), path.empty() ? key : path + "." + key, out);
  }
  for (const auto& [key, value] : now.items()) {
    if (!recorded.contains(key)) out.push_back(concat(path, ".", key, ": not recorded, now ", value.dump()));
  }
}

void check_tensors(const Json& manifest, const std::string& folder, std::vector<std::string>& differences) {
  const std::map<std::string, std::string> now = tensor_hashes(folder);
  for (const auto& [name, hash] : manifest["tensors"].items()) {
    const auto found = now.find(name);
    if (found == now.end()) {
      differences.push_back(concat("model.safetensors: tensor ", name, " is missing"));
    } else if (found->second != hash.get<std::string>()) {
      differences.push_back(concat("model.safetensors: tensor ", name, " has other values than when the run ended"));
    }
  }
}

struct Replay {
  std::int64_t steps = 0;
  std::int64_t first_difference = 0;  ///< 0 = none
  std::string what;
  bool within_tolerance = true;
};

bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b)); }

Replay compare(const Json& recorded, const std::vector<train::TrajectoryPoint>& now) {
  Replay replay;
  for (const train::TrajectoryPoint& point : now) {
    const auto line = std::find_if(recorded.begin(), recorded.end(), [&](const Json& entry) { return entry["step"] == point.step; });
    if (line == recorded.end()) continue;
    ++replay.steps;
    const double loss = (*line)["loss"].get<double>(), norm = (*line)["grad_norm"].get<double>();
    const bool weights_differ = line->contains("weights_sha256") && !point.weights_sha256.empty() && (*line)["weights_sha256"] != point.weights_sha256;
    replay.within_tolerance = replay.within_tolerance && near(point.loss, loss, kLossTolerance) && near(point.grad_norm, norm, kGradNormTolerance);
    if (replay.first_difference != 0 || (point.loss == loss && point.grad_norm == norm && !weights_differ)) continue;
    replay.first_difference = point.step;
    replay.what = point.loss != loss ? concat("loss is ", format_number(point.loss), ", recorded ", format_number(loss))
                  : point.grad_norm != norm ? concat("gradient norm is ", format_number(point.grad_norm), ", recorded ", format_number(norm))
                                            : std::string("the weights after the step have another hash");
  }
  return replay;
}

Replay replay_steps(const Json& manifest, const Prepared& prepared, std::optional<std::int64_t> steps) {
  FitRequest request;
  request.prepared = &prepared;
  request.train = prepared.train.encoded;
  if (manifest["fit"]["validation_rows"].get<std::int64_t>() > 0) request.validation = prepared.validation.encoded;
  request.validation_examples = &prepared.validation.examples;
  request.seed = manifest["fit"]["seed"].get<std::uint64_t>();
  if (manifest["fit"]["epochs"].is_number()) request.epochs = manifest["fit"]["epochs"].get<double>();
  request.max_steps = steps;
  const report::EventBus silent;
  request.events = &silent;
  return compare(manifest["trajectory"], fit(request).result.trajectory);
}

}  // namespace

Json verify(const VerifyOptions& options) {
  const std::string path = (fs::path(options.run) / "run_manifest.json").string();
  if (!path_exists(path, ErrorKind::usage)) {
    throw Error(ErrorKind::usage, {.file = options.run, .what = "there is no run_manifest.json", .where = "",
                                   .hint = "name the output folder of a finished `attune train`"});
  }
  const Json manifest = read_manifest(path);
  const std::string resolved = (fs::path(options.run) / "config.resolved.json").string();
  const RunOptions run_options = config::load(resolved, {});
  set_threads(run_options.threads);

  std::vector<std::string> differences;
  difference(manifest["configuration"], config::effective(run_options), "configuration", differences);
  check_tensors(manifest, options.run, differences);
  std::vector<std::string> environment_differences;
  difference(manifest["environment"], environment(), "environment", environment_differences);
  const Prepared prepared = prepare(run_options);
  difference(manifest["inputs"], prepared.fingerprints, "inputs", differences);

  const Replay replay = replay_steps(manifest, prepared, options.steps);
  Json result = {{"run", options.run}, {"differences", differences}, {"environment_differences", environment_differences}, {"steps_replayed", replay.steps}};
  if (replay.first_difference != 0) result["first_difference"] = {{"step", replay.first_difference}, {"what", replay.what}};
  if (differences.empty() && replay.first_difference == 0) {
    result["verdict"] = "bit-equal";
  } else {
    result["verdict"] = differences.empty() && replay.within_tolerance ? "within tolerance" : "changed";
  }
  return result;
}

}  // namespace attune::job
