// attune train: fine-tunes as the configuration says and prints the result table.
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/observers.h"
#include "app/print_examples.h"
#include "app/resuming_command.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/counted.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/examples.h"
#include "attune/job/execution.h"
#include "attune/job/run.h"
#include "attune/job/summary.h"
#include "attune/report/table.h"
#include "attune/report/units.h"

namespace attune::app {

namespace {

std::string folds_table(const files::Json& folds) {
  std::vector<std::vector<std::string>> rows;
  for (const files::Json& fold : folds) {
    rows.push_back({fold["name"].get<std::string>(), fold["train"].dump(), fold["inner_validation"].dump(), fold["held_out"].dump()});
  }
  return report::text_table({"fold", "trains on", "inner validation", "held out"}, rows);
}

/// "self-training: 608 unlabelled rows asked in 4 wordings, 1 round, 2 trainings".
std::string rounds_plan(const files::Json& plan) {
  const files::Json &rounds = plan["self_training"], &unlabelled = plan["data"]["unlabelled"];
  const auto count = [](const files::Json& object, const char* key) { return object[key].get<std::int64_t>(); };
  return concat("self-training: ", counted(count(unlabelled, "rows"), "unlabelled row"), " of ", unlabelled["read"].dump(), " asked in ",
                rounds["wordings"].dump(), " wordings, ", counted(count(rounds, "rounds"), "round"), ", ",
                counted(count(rounds, "trainings"), "training"), "\n");
}

std::string plan_text(const files::Json& plan) {
  std::string text;
  for (const auto& [split, counts] : plan["data"]["splits"].items()) {
    text += concat(split, ": ", counted(counts["rows"].get<std::int64_t>(), "row"), "\n");
  }
  if (plan["data"].contains("pairs")) text += concat(report::pairs_text(plan["data"]["pairs"]), "\n");
  if (plan.contains("self_training")) text += rounds_plan(plan);
  if (plan.contains("folds")) text += folds_table(plan["folds"]);
  return concat(text, plan["model"]["description"].get<std::string>(), "\nnothing was written (--dry-run)\n");
}

}  // namespace

int run_train(const TrainVerb& options) {
  ignore_broken_pipes();
  std::vector<std::string> overrides = options.overrides;
  if (!options.resume.empty()) overrides.push_back("resume_from_checkpoint=" + options.resume);
  const job::RunOptions run_options = config::load(options.config, overrides, job::machine());
  const std::string resuming = resuming_command({.verb = "train", .config = options.config, .overrides = options.overrides},
                                                run_options.overwrite_output_dir);  // before the file can change under the run
  report::EventBus events;
  attach_progress(events, options.output);
  if (options.show_examples > 0) {
    job::set_threads(run_options.threads);
    print_examples(job::examples(run_options, options.show_examples, events), job::examples_text, options.output);
    return 0;
  }
  if (options.dry_run) {
    job::set_threads(run_options.threads);
    const files::Json plan = job::plan(run_options, events);
    console::print(options.output.json ? files::json_text(plan) + "\n" : plan_text(plan));
    return 0;
  }
  const files::Json results = job::run(run_options, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal after a good save; go on with: %s\n", resuming.c_str());
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : job::result_table(results));
  return 0;
}

}  // namespace attune::app
