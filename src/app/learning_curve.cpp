// attune learning-curve: how scores of methods grow with the number of labels.
#include "attune/study/learning_curve.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/observers.h"
#include "app/resuming_command.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/counted.h"
#include "attune/base/print_number.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/report/openings.h"
#include "attune/report/table.h"

namespace attune::app {

namespace {

using files::Json;

Json curve_plan_json(const study::CurvePlan& plan) {
  Json list = Json::array();
  for (const study::CurveTask& task : plan.tasks) {
    list.push_back({{"method", plan.methods[task.method].name},
                    {"size", task.size > 0 ? Json(task.size) : Json()},
                    {"seed", task.seed}});
  }
  return list;
}

std::string curve_plan_text(const study::CurvePlan& plan) {
  std::vector<std::vector<std::string>> rows;
  for (const study::CurveTask& task : plan.tasks) {
    const study::Method& method = plan.methods[task.method];
    rows.push_back({method.name, method.kind, task.size > 0 ? concat(task.size) : "–", concat(task.seed),
                    concat(method.candidates.size())});
  }
  return report::text_table({"method", "kind", "labels", "seed", "candidates"}, rows) +
         concat(counted(static_cast<std::int64_t>(rows.size()), "point"), "; nothing was written (--dry-run)\n");
}

/// The mean over seeds at a size; of a method that does not learn always the same.
std::string mean_at(const Json& method, const Json& size) {
  for (const Json& entry : method["by_size"]) {
    if (!entry["size"].is_null() && entry["size"] != size) continue;
    const Json& found = entry["accuracy"];
    if (!found["mean"].is_number()) return "–";
    return print_number("%.4f", found["mean"].get<double>()) +
           (found["sd"].is_number() ? concat(" ± ", print_number("%.4f", found["sd"].get<double>())) : "");
  }
  return "–";
}

std::string curves_text(const Json& results) {
  std::vector<std::string> header = {results["per_class"].get<bool>() ? "accuracy by labels per class"
                                                                      : "accuracy by labels"};
  for (const Json& size : results["sizes"]) header.push_back(size.dump());
  std::vector<std::vector<std::string>> rows;
  for (const Json& method : results["methods"]) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(method["name"].get<std::string>());
    for (const Json& size : results["sizes"]) row.push_back(mean_at(method, size));
  }
  std::string text = report::text_table(header, rows) + "\n";
  for (const Json& sentence : results["sentences"]) text += sentence.get<std::string>() + "\n";
  if (results.contains("opening")) text += concat("\nopened    ", report::opening_text(results["opening"]));
  return concat(text, "\nfolder    ", results["output_dir"].get<std::string>(),
                " (report.html, learning_curve_results.json, methods/)\n");
}

}  // namespace

int run_learning_curve(const LearningCurveVerb& options) {
  ignore_broken_pipes();
  std::vector<std::string> settings = options.overrides;
  if (options.resume) settings.emplace_back("resume_from_checkpoint=auto");
  const job::RunOptions run = config::load(options.config, settings, job::machine());
  job::set_threads(run.threads);
  const study::CurvePlan plan =
      study::plan_learning_curve(run, {.config = options.config, .overrides = options.overrides});
  if (options.dry_run) {
    console::print(options.output.json ? files::json_text(curve_plan_json(plan)) + "\n" : curve_plan_text(plan));
    return 0;
  }
  report::EventBus events;
  attach_progress(events, options.output);
  install_stop_signals();
  const std::string resuming =
      resuming_command({.verb = "learning-curve", .config = options.config, .overrides = options.overrides, .vary = {}},
                       run.overwrite_output_dir);  // before the file can change under the run
  const Json results = study::learning_curve(run, plan, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal after a good save; go on with: %s\n", resuming.c_str());
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : curves_text(results));
  return 0;
}

}  // namespace attune::app
