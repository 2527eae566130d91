// attune meta-train: makes an encoder from several data sets that a few examples of a new one are enough to tune.
#include "attune/job/meta_train.h"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/observers.h"
#include "app/resuming_command.h"
#include "attune/app/verbs.h"
#include "attune/base/clock.h"
#include "attune/base/console.h"
#include "attune/base/counted.h"
#include "attune/base/print_number.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/execution.h"
#include "attune/report/table.h"
#include "attune/report/units.h"

namespace attune::app {

namespace {

using files::Json;

std::string cell(const Json& value) {
  return value.is_number() ? print_number("%.4f", value.get<double>()) : "–";
}

std::string text_of(const Json& results) {
  const auto count = [](const Json& counts, const char* key) { return counts[key].get<std::int64_t>(); };
  std::vector<std::vector<std::string>> rows;
  for (const Json& task : results["tasks"]) {
    rows.push_back({task["name"].get<std::string>(), concat(count(task, "rows")), concat(count(task, "labels")),
                    concat(count(task, "episodes")), cell(task["first_loss"]), cell(task["last_loss"])});
  }
  return concat(report::text_table({"data set", "rows", "labels", "episodes", "loss at first", "at last"}, rows), "\n",
                "losses    of the first step of an episode: means of a data set's first and last quarter\n",
                "trained   ", grouped(count(results, "trained")), " parameters that all data sets have in common, ",
                counted(count(results, "episodes"), "episode"), " of ", counted(count(results, "inner_steps"), "step"),
                " in ", format_duration(results["seconds"].get<double>()), "\n", "folder    ",
                results["output_dir"].get<std::string>(),
                " (report.html, meta_results.json): a model without a head; name it as model.path to tune it\n");
}

}  // namespace

int run_meta_train(const MetaTrainVerb& options) {
  ignore_broken_pipes();
  std::vector<std::string> settings = options.overrides;
  if (options.resume) settings.emplace_back("resume_from_checkpoint=auto");
  const job::RunOptions run = config::load(options.config, settings, job::machine());
  report::EventBus events;
  attach_progress(events, options.output);
  const std::string resuming = resuming_command(
      {.verb = "meta-train", .config = options.config, .overrides = options.overrides}, run.overwrite_output_dir);
  const Json results = job::meta_train(run, job::meta_tasks(options.config, run), events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal after a good save; go on with: %s\n", resuming.c_str());
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : text_of(results));
  return 0;
}

}  // namespace attune::app
