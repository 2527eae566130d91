// attune train: fine-tunes as the configuration says and prints the result table.
#include <cstdio>

#include <nlohmann/json.hpp>

#include "app/observers.h"
#include "attune/app/verbs.h"
#include "attune/base/signals.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/run.h"
#include "attune/job/summary.h"

namespace attune::app {

namespace {

void print_plan(const files::Json& plan, const OutputOptions& output) {
  if (output.json) {
    std::puts(plan.dump(2).c_str());
    return;
  }
  for (const auto& [split, counts] : plan["data"]["splits"].items()) {
    std::printf("%s: %s rows\n", split.c_str(), counts["rows"].dump().c_str());
  }
  std::printf("%s\nnothing was written (--dry-run)\n", plan["trainable"].get<std::string>().c_str());
}

}  // namespace

int run_train(const TrainVerb& options) {
  std::vector<std::string> overrides = options.overrides;
  if (!options.resume.empty()) overrides.push_back("resume_from_checkpoint=" + options.resume);
  const job::RunOptions run_options = config::load(options.config, overrides);
  report::EventBus events;
  attach_progress(events, options.output);
  if (options.dry_run) {
    job::set_threads(run_options.threads);
    print_plan(job::plan(run_options), options.output);
    return 0;
  }
  install_stop_signals();
  const files::Json results = job::run(run_options, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal after a good save; go on with: attune train %s --resume\n", options.config.c_str());
    return 128 + stop_signal();
  }
  std::fputs(options.output.json ? (results.dump(2) + "\n").c_str() : job::result_table(results).c_str(), stdout);
  return 0;
}

}  // namespace attune::app
