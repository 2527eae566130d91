// attune compare: many methods answer the same test rows.
#include "attune/study/compare.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/observers.h"
#include "app/resuming_command.h"
#include "attune/app/verbs.h"
#include "attune/base/clock.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/print_number.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/report/openings.h"
#include "attune/report/table.h"
#include "attune/report/units.h"

namespace attune::app {

namespace {

using files::Json;

std::string four_digits(const Json& value) {
  return value.is_number() ? print_number("%.4f", value.get<double>()) : "–";
}

std::string range_text(const Json& interval) {
  return report::has_width(interval) ? concat("[", four_digits(interval[0]), ", ", four_digits(interval[1]), "]") : "";
}

std::string use_text(const Json& results, const Json& method) {
  const Json& use = method["cost"]["use"];
  if (results["cost_unit"] != "s")
    return report::money_text(use["money"].get<double>(), results["cost_unit"].get<std::string>());
  const double seconds = use["seconds"].get<double>();
  return seconds < 60 ? print_number("%.3g s", seconds) : format_duration(seconds);
}

std::string comparison_table(const Json& results) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& method : results["methods"]) {
    rows.push_back({method["name"].get<std::string>(), four_digits(method["accuracy"]["value"]),
                    range_text(method["accuracy"]["interval"]), four_digits(method["f1_macro"]["value"]),
                    four_digits(method["loss"]["value"]), use_text(results, method), method["candidates"].dump(),
                    concat(method["seeds"].size())});
  }
  return report::text_table({"method", "accuracy", "95 %", "f1", "loss", "cost", "candidates", "seeds"}, rows);
}

std::string said(const std::string& name, const std::string& what) {
  return concat(name, std::string(name.size() < 13 ? 14 - name.size() : 1, ' '), what, "\n");
}

std::string comparison_text(const Json& results) {
  const Json& found = results["recommendation"];
  std::string text = comparison_table(results) + "\n";
  text +=
      said("rows", concat(results["rows"]["test"].get<std::int64_t>(),
                          " of the test split; always the most frequent label: ", four_digits(results["majority"])));
  text += said("cost", concat("learning once and answering ", results["predictions"].get<std::int64_t>(), " rows"));
  text += said("recommended", found["method"].get<std::string>());
  text += said("why", found["reason"].get<std::string>());
  text += said("opened", report::opening_text(results["opening"]));
  return text +
         said("folder", results["output_dir"].get<std::string>() + " (report.html, compare_results.json, methods/)");
}

Json methods_json(const std::vector<study::Method>& methods) {
  Json list = Json::array();
  for (const study::Method& method : methods) {
    Json& one = list.emplace_back();
    one = {
        {"name", method.name}, {"kind", method.kind}, {"has_chance", method.has_chance}, {"candidates", Json::array()}};
    for (const study::MethodCandidate& candidate : method.candidates) one["candidates"].push_back(candidate.name);
  }
  return list;
}

std::string methods_text(const Json& methods) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& method : methods) {
    const auto candidates = method["candidates"].get<std::vector<std::string>>();
    rows.push_back({method["name"].get<std::string>(), method["kind"].get<std::string>(),
                    method["has_chance"].get<bool>() ? "all" : "one", join(candidates, "  |  ")});
  }
  return report::text_table({"method", "kind", "seeds", "candidates"}, rows) + "nothing was written (--dry-run)\n";
}

}  // namespace

int run_compare(const CompareVerb& options) {
  ignore_broken_pipes();
  std::vector<std::string> settings = options.overrides;
  if (options.resume) settings.emplace_back("resume_from_checkpoint=auto");
  const job::RunOptions run = config::load(options.config, settings, job::machine());
  if (!options.resume && !run.resume_from_checkpoint.empty()) {
    throw Error(ErrorKind::usage, {.file = options.config,
                                   .what = "a comparison does not begin at a checkpoint",
                                   .where = "resume_from_checkpoint",
                                   .hint = "leave it out; attune compare --resume goes on with one that was stopped"});
  }
  job::set_threads(run.threads);
  const std::vector<study::Method> methods = study::read_methods(
      {.config = options.config, .overrides = options.overrides}, run.compare.methods, run.compare.selection_budget);
  if (options.dry_run) {
    const Json list = methods_json(methods);
    console::print(options.output.json ? files::json_text(list) + "\n" : methods_text(list));
    return 0;
  }
  const std::string resuming =
      resuming_command({.verb = "compare", .config = options.config, .overrides = options.overrides},
                       run.overwrite_output_dir);  // before the file can change under the run
  report::EventBus events;
  attach_progress(events, options.output);
  install_stop_signals();
  const Json results = study::compare(run, methods, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal; what was finished is kept: go on with: %s\n", resuming.c_str());
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : comparison_text(results));
  return 0;
}

}  // namespace attune::app
