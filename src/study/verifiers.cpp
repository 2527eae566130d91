// The table of studies that can be verified, and what is common to them. See verify.h.
#include "verifiers.h"

#include <algorithm>
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
    {"learning_curve_results.json", "learning-curve", verify_learning_curve, /*has_runs=*/true},
    {"compare_results.json", "compare", verify_compare, /*has_runs=*/true},
    {"meta_results.json", "meta-train", verify_meta_train},
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

void check_has_runs(const VerifyOptions& options, const Verifier& verifier) {
  if (!options.runs || verifier.has_runs) return;
  throw Error(ErrorKind::usage,
              {.file = options.folder,
               .what = concat("--runs is of comparisons and learning curves, and this is of attune ", verifier.verb),
               .where = "command line",
               .hint = "leave it out"});
}

/// What was written for people and other programs from the results. Their bytes are those of one version of attune.
void leave_out_pages(const std::string& folder, Findings& findings) {
  for (const char* page : {"report.html", "junit.xml"}) {
    if (path_exists(concat(folder, "/", page), ErrorKind::usage))
      findings.leave_out(concat(page, ", which was made from the results"));
  }
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

std::size_t rows_asked_again(const VerifyOptions& options, std::size_t answered) {
  constexpr std::size_t kFewest = 8;
  return std::min(answered, options.rows ? static_cast<std::size_t>(*options.rows) : std::max(kFewest, answered / 10));
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
  check_has_runs(options, *verifier);
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
  leave_out_pages(options.folder, findings);
  Json result = {{"run", options.folder}, {"study", verifier->verb}};
  result.update(findings.to_json());
  return result;
}

}  // namespace attune::study
