// attune prompt: asks a model as it is with the wordings of a prompt set.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/observers.h"
#include "app/print_examples.h"
#include "app/resuming_command.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/print_number.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/report/openings.h"
#include "attune/report/scored_rows.h"
#include "attune/report/table.h"
#include "attune/report/units.h"
#include "attune/study/optimise.h"
#include "attune/study/prompt_examples.h"
#include "attune/study/prompt_run.h"
#include "attune/study/stability.h"

namespace attune::app {

namespace {

using files::Json;

std::string number_cell(const Json& value) {
  return value.is_number() ? print_number("%.4f", value.get<double>()) : "–";
}

std::string metric_cell(const Json& numbers, const char* name) {
  return numbers.contains(name) ? number_cell(numbers[name]) : "–";
}

std::string interval_cell(const Json& intervals, const char* name) {
  return intervals.contains(name) && report::has_width(intervals[name])
             ? concat("[", number_cell(intervals[name][0]), ", ", number_cell(intervals[name][1]), "]")
             : "";
}

std::string fact(const std::string& name, const std::string& what) {
  return concat(name, std::string(name.size() < 11 ? 12 - name.size() : 1, ' '), what, "\n");
}

std::string whole_number(double value) {
  return print_number("%.0f", value);
}

std::string behind_semicolon(const std::string& text) {
  return text.empty() ? "" : "; " + text;
}

std::string rows_fact(const Json& results, const std::string& split) {
  const Json& majority = results["majority"];
  return fact("rows", concat(results["rows"].get<std::int64_t>(), " of the ", split, " split",
                             majority.is_number() ? "; always the most frequent label: " + number_cell(majority) : "",
                             behind_semicolon(report::scored_rows_text(results, whole_number))));
}

std::string opened_fact(const Json& results) {
  return results.contains("opening") ? fact("opened", report::opening_text(results["opening"])) : "";
}

std::string tokens_fact(const Json& results) {
  const auto tokens = results["tokens"].get<std::int64_t>(), computed = results["computed_tokens"].get<std::int64_t>();
  if (computed == 0) return "";
  const double times = static_cast<double>(tokens) / static_cast<double>(computed);
  return fact("tokens", concat(computed, " computed, text by text it would be ", tokens, " (",
                               print_number("%.1f", times), " times as many)"));
}

std::int64_t total(const Json& results, const char* count) {
  std::int64_t sum = 0;
  for (const Json& wording : results["wordings"]) sum += wording[count].get<std::int64_t>();
  return sum;
}

std::string folder_fact(const Json& results, const std::string& files) {
  return fact("folder", concat(results["output_dir"].get<std::string>(), " (", files, ")"));
}

std::string dropped_fact(const Json& results) {
  const std::int64_t dropped = total(results, "dropped_examples");
  return dropped > 0 ? fact("dropped", concat(dropped, " examples did not fit into the model's length")) : "";
}

/// A line an assertion, with the first text that fails it.
std::string assertions_text(const Json& results) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& wording : results["wordings"]) {
    for (const Json& assertion : wording["assertions"]) {
      const Json& first = assertion["first"];
      rows.push_back({wording["name"].get<std::string>(), assertion["name"].get<std::string>(),
                      number_cell(assertion["rate"]), interval_cell(assertion, "interval"),
                      first.empty() ? "" : first[0]["why"].get<std::string>()});
    }
  }
  return report::text_table({"wording", "assertion", "rate", "95 %", "fails for example since"}, rows) + "\n";
}

/// Of texts instead of labels.
std::string texts_text(const Json& results) {
  std::string text;
  if (results["wordings"].front().contains("metrics")) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& wording : results["wordings"]) {
      const Json& metrics = wording["metrics"];
      rows.push_back({wording["name"].get<std::string>(), metric_cell(metrics, "rougeL"),
                      interval_cell(wording["intervals"], "rougeL"), metric_cell(metrics, "bleu"),
                      metric_cell(metrics, "chrf"), metric_cell(metrics, "exact_match"), metric_cell(metrics, "f1")});
    }
    text += report::text_table({"wording", "rougeL", "95 %", "bleu", "chrf", "exact match", "f1"}, rows) + "\n";
  }
  const bool has_assertions = results["wordings"].front().contains("assertions");
  if (has_assertions) text += assertions_text(results);
  text += rows_fact(results, results["split"].get<std::string>());
  if (const auto cut = total(results, "cut_texts"); cut > 0)
    text += fact(
        "cut",
        concat(cut, " texts ended at the limit of tokens: raise generation.max_new_tokens where answers are longer"));
  return concat(text, opened_fact(results), dropped_fact(results), tokens_fact(results),
                folder_fact(results, concat("report.html, prompt_results.json, ", has_assertions ? "junit.xml, " : "",
                                            "wordings/")));
}

std::string wordings_text(const Json& results) {
  if (results["answer"] == "text") return texts_text(results);
  std::vector<std::vector<std::string>> rows;
  std::vector<double> accuracies;
  for (const Json& wording : results["wordings"]) {
    const Json &metrics = wording["metrics"], &intervals = wording["intervals"];
    rows.push_back({wording["name"].get<std::string>(), metric_cell(metrics, "accuracy"),
                    interval_cell(intervals, "accuracy"), metric_cell(metrics, "f1"), metric_cell(metrics, "loss")});
    accuracies.push_back(metrics["accuracy"].get<double>());
  }
  std::string text = report::text_table({"wording", "accuracy", "95 %", "f1", "loss"}, rows) + "\n" +
                     rows_fact(results, results["split"].get<std::string>());
  if (rows.size() > 1) {
    const auto [low, high] = std::ranges::minmax(accuracies);
    text += fact("spread", concat(print_number("%.4f", high - low), " of accuracy between the best and the worst of ",
                                  rows.size(), " wordings"));
  }
  if (const auto without = total(results, "without_answer"); without > 0)
    text += fact("no answer", concat(without, " generated texts name no label and count as wrong"));
  return concat(text, opened_fact(results), dropped_fact(results), tokens_fact(results),
                folder_fact(results, "report.html, prompt_results.json, wordings/"));
}

/// What was put to the test rows, by what variants were compared by.
std::string test_fact(const Json& results, const std::string& name, const Json& tested) {
  const std::string metric = results["metric"].get<std::string>();
  return fact("test", concat(name, metric, " ", metric_cell(tested["metrics"], metric.c_str()), " ",
                             interval_cell(tested["intervals"], metric.c_str()),
                             behind_semicolon(report::scored_test_rows_text(results, tested, whole_number))));
}

/// How often single rows change.
std::string flips_text(const Json& results) {
  if (results["metric"] == "accuracy") {
    return fact("flip rate",
                concat(number_cell(results["flip_rate"]), ": how often two variants give a row different labels"));
  }
  std::string text;
  if (results["flip_rate"].is_number()) {
    text += fact("flip rate", concat(number_cell(results["flip_rate"]),
                                     ": how often one of two variants keeps all assertions on a row, the other not"));
  }
  text += fact("row sd", concat(number_cell(results["row_sd"]), " of ", results["metric"].get<std::string>(),
                                " of a row's text, over the variants"));
  return text + fact("texts", concat(number_cell(results["differing_texts"]),
                                     ": how often two variants write a row different texts"));
}

std::string shares_text(const Json& results, const std::string& metric) {
  std::string text;
  for (const auto& [factor, found] : results["shares"].items()) {
    if (factor == "remainder") continue;
    text += fact("  " + factor, concat(number_cell(found["share"]), " of the variance of ", metric, " (by chance ",
                                       number_cell(found["chance"]), ")"));
  }
  return text +
         fact("  together", concat(number_cell(results["shares"]["remainder"]), " comes from factors in combination"));
}

std::string stability_text(const Json& results) {
  const std::string metric = results["metric"].get<std::string>();
  const char* const changes = metric == "accuracy" ? "flip_rate" : "row_sd";
  std::vector<std::vector<std::string>> rows;
  for (const Json& wording : results["wordings"]) {
    rows.push_back({wording["name"].get<std::string>(), number_cell(wording[metric]), number_cell(wording["lowest"]),
                    number_cell(wording["highest"]), number_cell(wording[changes])});
  }
  const Json& spread = results["spread"];
  const std::string changes_column = metric == "accuracy" ? "flip rate" : "row sd";
  std::string text = report::text_table({"wording", metric, "lowest", "highest", changes_column}, rows) + "\n" +
                     rows_fact(results, "validation");
  text +=
      fact("spread", concat(number_cell(spread["range"]), " of ", metric, " (", number_cell(spread["lowest"]), " to ",
                            number_cell(spread["highest"]), ") between ", results["variants"].size(), " variants"));
  text += flips_text(results) + shares_text(results, metric);
  text +=
      fact("best", concat(results["best"].get<std::string>(), ", by ", metric, " on these rows, which flatters it"));
  text += fact("steadiest", results["steadiest"].get<std::string>());
  if (results.contains("test")) {
    for (const auto& [name, found] : results["test"].items()) text += test_fact(results, name + ": ", found);
  }
  return concat(text, opened_fact(results),
                folder_fact(results, "report.html, stability_results.json, junit.xml, variants/"));
}

std::string optimise_text(const Json& results) {
  const std::string metric = results["metric"].get<std::string>();
  std::vector<std::vector<std::string>> rows;
  for (const Json& round : results["rounds"]) {
    const Json& best = round["candidates"].front();
    rows.push_back({concat("round ", rows.size() + 1), concat(round["candidates"].size()),
                    concat(round["rows"].get<std::int64_t>()), best["name"].get<std::string>(),
                    number_cell(best[metric])});
  }
  const Json& chosen = results["chosen"];
  std::string text =
      report::text_table({"", "candidates", "rows", "best", metric}, rows) + "\n" + rows_fact(results, "validation");
  text += fact("chosen", concat(chosen["name"].get<std::string>(), "; since it was chosen by them, its ", metric,
                                " on these rows is flattering"));
  if (results.contains("test")) text += test_fact(results, "", results["test"]);
  text += fact("asked", concat(results["questions"].get<std::int64_t>(), " rows of a budget of ",
                               results["budget"].get<std::int64_t>()));
  return concat(text, opened_fact(results), folder_fact(results, "report.html, optimise_results.json, answers/"));
}

struct Study {
  const char* action;
  Json (*run)(const job::RunOptions&, const report::EventBus&);
  std::string (*text)(const Json&);
};

constexpr Study kStudies[] = {{"run", study::run_prompts, wordings_text},
                              {"stability", study::prompt_stability, stability_text},
                              {"optimise", study::prompt_optimise, optimise_text}};

void check_gate(const Json& results) {
  if (!results.contains("gate")) return;
  const Json& gate = results["gate"];
  if (gate["passed"].get<bool>()) return;
  throw Error(ErrorKind::gate, {.file = results["output_dir"].get<std::string>(),
                                .what = "gate failed: " + gate["failure"].get<std::string>(),
                                .where = gate["where"].get<std::string>(),
                                .hint = ""});
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
  if (options.show_examples > 0) {
    print_examples(study::prompt_examples(run, options.action, options.show_examples, events),
                   study::prompt_examples_text, options.output);
    return 0;
  }
  const std::string resuming =
      resuming_command({.verb = "prompt " + options.action, .config = options.config, .overrides = options.overrides},
                       run.overwrite_output_dir);
  install_stop_signals();
  const Study& chosen =
      *std::ranges::find(kStudies, options.action, [](const Study& one) { return std::string(one.action); });
  const Json results = chosen.run(run, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal; what was answered is kept: go on with: %s\n", resuming.c_str());
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : chosen.text(results));
  check_gate(results);
  return 0;
}

}  // namespace attune::app
