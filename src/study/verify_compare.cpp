// Comparisons of methods, gone over again: everything that follows from the predictions that were kept. See verify.h.
#include <nlohmann/json.hpp>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/study/method.h"
#include "comparison_parts.h"
#include "job/base_hashes.h"
#include "repeat_runs.h"
#include "verifiers.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kOfStatistics = 1e-9;  ///< sums in another order

/// Files of rows and prompts, and bases, as they are now; null where they cannot be read any more.
Json inputs_now(const Json& recorded) {
  Json now = {{"files", Json::object()}, {"bases", Json::object()}};
  for (const auto& [path, hash] : recorded.at("files").items()) {
    try {
      now["files"][path] = files::sha256_file(path, ErrorKind::data);
    } catch (const Error&) {
      now["files"][path] = nullptr;
    }
  }
  for (const auto& [path, hashes] : recorded.at("bases").items()) {
    bool with_weights = false;
    for (const auto& [name, hash] : hashes.items()) with_weights = with_weights || name.ends_with(".safetensors");
    try {
      now["bases"][path] = job::BaseHashes(models::resolve_model_path(path), with_weights).get();
    } catch (const Error&) {
      now["bases"][path] = nullptr;
    }
  }
  return now;
}

/// Every method under each of its seeds.
std::vector<KeptRun> runs_of_comparison(const Json& results, const Json& identity, const std::string& folder) {
  std::vector<KeptRun> runs;
  for (std::size_t i = 0; i < results.at("methods").size(); ++i) {
    const Json& method = results["methods"][i];
    const Json& candidate = candidate_named(identity.at("methods").at(i), method.at("candidate").get<std::string>());
    for (std::size_t seed = 0; seed < method.at("seeds").size(); ++seed) {
      runs.push_back({.name = concat(method.at("name").get<std::string>(), ", seed ", method["seeds"][seed].dump()),
                      .kind = method.at("kind").get<std::string>(),
                      .candidate = candidate,
                      .seed = method["seeds"][seed].get<std::uint64_t>(),
                      .predictions = concat(folder, "/", method.at("predictions").at(seed).get<std::string>())});
    }
  }
  return runs;
}

}  // namespace

void verify_compare(const VerifyOptions& options, const Json& results, const report::EventBus& events,
                    Findings& findings) {
  const Json identity = files::read_json(options.folder + "/compare.json", {.kind = ErrorKind::usage});
  const Json now = inputs_now(identity);
  Findings inputs;
  for (const char* part : {"files", "bases"}) inputs.compare(identity.at(part), now.at(part), part, 0);
  findings.add(inputs);
  const job::RunOptions run = config::load(options.folder + "/config.resolved.json", {}, job::machine());
  job::set_threads(run.threads);
  Json again = results;
  add_comparison(again, read_method_rows(run), options.folder);
  for (const char* part : {"methods", "pairs", "recommendation"}) {
    findings.compare(results.at(part), again.at(part), part, kOfStatistics);
  }
  findings.check(concat("scores, intervals, tests and recommendation of ",
                        counted(static_cast<std::int64_t>(results.at("methods").size()), "method"),
                        " follow from their predictions"));
  if (!inputs.holds()) {
    findings.leave_out("trainings and prompts: what they read is no longer there as it was");
    return;
  }
  repeat_runs(options, run, runs_of_comparison(results, identity, options.folder), events, findings);
  findings.leave_out(
      concat("single steps; attune verify ", options.folder,
             "/methods/<name>/seed-<s> goes over those of a training (candidate-<n>/seed-<s> where there "
             "were several)"));
}

}  // namespace attune::study
