// The table of studies that can be verified, and what is common to them. See verify.h.
#include "verifiers.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"

namespace attune::study {

namespace {

using files::Json;

constexpr Verifier kVerifiers[] = {
    {"prompt_results.json", "prompt run", verify_prompt_run},
    {"stability_results.json", "prompt stability", verify_stability},
    {"optimise_results.json", "prompt optimise", verify_optimise},
    {"learning_curve_results.json", "learning-curve", verify_learning_curve},
};

const Verifier* verifier_of(const std::string& folder) {
  for (const Verifier& one : kVerifiers) {
    if (path_exists(concat(folder, "/", one.results), ErrorKind::usage)) return &one;
  }
  return nullptr;
}

/// What a person may have changed since: then the study no longer holds, and that is the answer.
bool is_of_inputs(ErrorKind kind) {
  return kind == ErrorKind::data || kind == ErrorKind::usage || kind == ErrorKind::model;
}

[[noreturn]] void refuse_damaged(const std::string& path) {
  throw Error(ErrorKind::usage, {.file = path,
                                 .what = "it, or an answer that was kept for it, is damaged",
                                 .where = "",
                                 .hint = "name the output folder of a finished study"});
}

}  // namespace

std::span<const Verifier> verifiers() {
  return kVerifiers;
}

bool is_study(const std::string& folder) {
  return verifier_of(folder) != nullptr;
}

Json verify(const VerifyOptions& options, const report::EventBus& events) {
  const Verifier* verifier = verifier_of(options.folder);
  if (verifier == nullptr) {
    throw Error(ErrorKind::usage, {.file = options.folder,
                                   .what = "there are no results of a study",
                                   .where = "",
                                   .hint = "name the output folder of a finished study"});
  }
  const std::string path = concat(options.folder, "/", verifier->results);
  const Json results = files::read_json(path, {.kind = ErrorKind::usage, .max_bytes = std::size_t{1} << 30});
  Findings findings;
  if (results.value("stopped_by", Json()) == "signal")
    findings.leave_out("what the study had not done when it was stopped");
  try {
    verifier->verify(options, results, events, findings);
  } catch (const Error& error) {
    if (!is_of_inputs(error.kind())) throw;
    findings.differ(concat("it can no longer be gone over: ", error.what()));
  } catch (const Json::exception&) {  // a key that is missing, or another kind of value
    refuse_damaged(path);
  } catch (const std::out_of_range&) {
    refuse_damaged(path);
  }
  Json result = {{"run", options.folder}, {"study", verifier->verb}};
  result.update(findings.to_json());
  return result;
}

}  // namespace attune::study
