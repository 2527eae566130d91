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

}  // namespace

void verify_compare(const VerifyOptions& options, const Json& results, const report::EventBus&, Findings& findings) {
  const Json identity = files::read_json(options.folder + "/compare.json", {.kind = ErrorKind::usage});
  const Json now = inputs_now(identity);
  for (const char* inputs : {"files", "bases"}) findings.compare(identity.at(inputs), now.at(inputs), inputs, 0);
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
  findings.leave_out(
      concat("the predictions; attune verify ", options.folder,
             "/methods/<name>/seed-<s> repeats a training (candidate-<n>/seed-<s> where there were several)"));
}

}  // namespace attune::study
