// See compare.h.
#include "attune/study/compare.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/data/overlap.h"
#include "attune/files/storage.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/report/compare_html.h"
#include "comparison.h"
#include "comparison_parts.h"
#include "job/data_summary.h"

namespace attune::study {

namespace {

using files::Json;

constexpr const char* kIdentityFile = "/compare.json";

void check_methods(const std::vector<Method>& methods) {
  if (methods.size() > 1) return;
  throw Error(ErrorKind::usage, {.file = "",
                                 .what = "there is one method, and nothing to compare it with",
                                 .where = "compare.methods",
                                 .hint = R"(name another, such as {"name": "words", "kind": "words"})"});
}

/// What the comparison is, kept so that only the same one goes on in its folder.
void write_or_check_identity(const job::RunOptions& options, const std::vector<Method>& methods) {
  const std::string path = options.output_dir + kIdentityFile;
  const Json identity = identity_of(methods);
  if (!options.resume_from_checkpoint.empty() && path_exists(path, ErrorKind::resume_refused)) {
    if (files::read_json(path, {.kind = ErrorKind::resume_refused}) == identity) return;
    throw Error(ErrorKind::resume_refused,
                {.file = path,
                 .what = "the comparison in this folder is of other methods, rows, bases or prompts",
                 .where = "",
                 .hint = "resume it with what it was begun with, or choose another output_dir"});
  }
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  files::write_json(path, identity);
}

/// Texts of test rows that methods learn from or choose by would flatter them.
Json told_duplicates(const MethodRows& rows) {
  const std::vector<data::NamedSplit> splits = {{.name = "train", .examples = rows.train},
                                                {.name = "validation", .examples = rows.validation},
                                                {.name = "test", .examples = rows.test}};
  const Json found = job::duplicates_of(splits);
  return found.is_null() ? Json::array() : found;
}

/// What is known before the test rows were compared.
Json method_json(const Method& method, const Outcome& outcome, const std::string& folder) {
  Json predictions = Json::array();
  for (const std::string& file : outcome.predictions) {
    predictions.push_back(std::filesystem::path(file).lexically_relative(folder).generic_string());
  }
  const MethodCandidate& chosen = method.candidates[outcome.chosen];
  Json told = {{"name", method.name},
               {"kind", method.kind},
               {"candidate", chosen.name},
               {"candidates", method.candidates.size()},
               {"tried", outcome.tried},
               {"seeds", outcome.seeds},
               {"predictions", std::move(predictions)},
               {"cost", outcome.cost}};
  if (!chosen.wording.empty()) told["wording"] = chosen.wording;
  if (!outcome.shown.is_null()) told["shown"] = outcome.shown;
  return told;
}

/// All methods; nothing after a signal.
std::optional<Json> carry_out_all(const job::RunOptions& options, const std::vector<Method>& methods, Workbench& bench,
                                  const report::EventBus& events) {
  Json done = Json::array();
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const Method& method = methods[i];
    events.emit({{"event", "method_begin"}, {"name", method.name}, {"index", i + 1}, {"methods", methods.size()}});
    const std::string folder = concat(options.output_dir, "/methods/", method.name);
    clear_shared(bench, options);
    const Outcome outcome = carry_out(method, options.seeds, folder, bench, events);
    if (outcome.stopped) return std::nullopt;
    done.push_back(method_json(method, outcome, options.output_dir));
  }
  return done;
}

}  // namespace

Json compare(const job::RunOptions& options, const std::vector<Method>& methods, const report::EventBus& events) {
  const Stopwatch clock;
  check_methods(methods);
  job::check_output_folder(options);
  Workbench bench = make_workbench(options);
  const auto lock = job::claim_output_folder(options);
  write_or_check_identity(options, methods);
  const MethodRows& rows = bench.rows;
  Json results = {
      {"output_dir", options.output_dir},
      {"about", options.about},
      {"rows", {{"train", rows.train.size()}, {"validation", rows.validation.size()}, {"test", rows.test.size()}}},
      {"labels", rows.labels.names.size()},
      {"majority", job::majority_rate(rows.labels, rows.train, rows.test)},
      {"duplicates", told_duplicates(rows)},
      {"selection_budget", options.compare.selection_budget},
      {"predictions", options.compare.predictions},
      {"stopped_by", "signal"}};
  bench.opens_test = [&] { results["opening"] = job::note_opening(options, "attune compare"); };
  std::optional<Json> done = carry_out_all(options, methods, bench, events);
  if (!done) return results;
  results["methods"] = std::move(*done);
  add_comparison(results, rows, options.output_dir);
  results["stopped_by"] = "end";
  results["seconds"] = clock.seconds();
  files::write_json(options.output_dir + "/compare_results.json", results);
  files::write_file_atomically(options.output_dir + "/report.html", report::compare_page(results));
  return results;
}

}  // namespace attune::study
