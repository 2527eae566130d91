// attune prompt: asks a model as it is with the wordings of a prompt set.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/observers.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/print_number.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/report/table.h"
#include "attune/study/prompt_run.h"

namespace attune::app {

namespace {

using files::Json;

std::string number_cell(const Json& numbers, const char* name) {
  return numbers.contains(name) && numbers[name].is_number() ? print_number("%.4f", numbers[name].get<double>()) : "–";
}

std::string wordings_text(const Json& results) {
  std::vector<std::vector<std::string>> rows;
  std::int64_t without = 0, dropped = 0;
  double low = 1, high = 0;
  for (const Json& wording : results["wordings"]) {
    const Json &metrics = wording["metrics"], &intervals = wording["intervals"];
    std::string interval;
    if (intervals.contains("accuracy")) interval = concat("[", print_number("%.4f", intervals["accuracy"][0].get<double>()), ", ", print_number("%.4f", intervals["accuracy"][1].get<double>()), "]");
    rows.push_back({wording["name"].get<std::string>(), number_cell(metrics, "accuracy"), interval, number_cell(metrics, "f1"), number_cell(metrics, "loss")});
    if (metrics.contains("accuracy") && metrics["accuracy"].is_number()) {
      low = std::min(low, metrics["accuracy"].get<double>());
      high = std::max(high, metrics["accuracy"].get<double>());
    }
    without += wording["without_answer"].get<std::int64_t>();
    dropped += wording["dropped_examples"].get<std::int64_t>();
  }
  std::string text = report::text_table({"wording", "accuracy", "95 %", "f1", "loss"}, rows) + "\n";
  const auto line = [&](const char* name, const std::string& what) { text += concat(name, std::string(12 - std::string(name).size(), ' '), what, "\n"); };
  line("rows", concat(results["rows"].get<std::int64_t>(), " of the ", results["split"].get<std::string>(), " split; always the most frequent label: ", results["majority"].is_number() ? print_number("%.4f", results["majority"].get<double>()) : "–"));
  if (rows.size() > 1) line("spread", concat(print_number("%.4f", high - low), " of accuracy between the best and the worst of ", rows.size(), " wordings"));
  if (without > 0) line("no answer", concat(without, " generated texts name no label and count as wrong"));
  if (dropped > 0) line("dropped", concat(dropped, " examples did not fit into the model's length"));
  const auto tokens = results["tokens"].get<std::int64_t>(), computed = results["computed_tokens"].get<std::int64_t>();
  line("tokens", concat(computed, " computed of ", tokens, computed > 0 ? concat(" (", print_number("%.1f", static_cast<double>(tokens) / static_cast<double>(computed)), " times as many without shared beginnings)") : ""));
  line("folder", concat(results["output_dir"].get<std::string>(), " (prompt_results.json, wordings/)"));
  return text;
}

}  // namespace

int run_prompt(const PromptVerb& options) {
  ignore_broken_pipes();
  std::vector<std::string> settings = options.overrides;
  if (options.resume) settings.emplace_back("resume_from_checkpoint=auto");
  const job::RunOptions run = config::load(options.config, settings, job::machine());
  job::set_threads(run.threads);
  report::EventBus events;
  attach_progress(events, options.output);
  install_stop_signals();
  const Json results = study::run_prompts(run, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal; finished wordings are kept: go on with the same command and --resume\n");
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : wordings_text(results));
  return 0;
}

}  // namespace attune::app
