// attune evaluate: metrics with intervals of a tuned model on files, and gates over them (--require accuracy>=0.9, exit 20).
#include <array>
#include <cmath>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "app/observers.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/metrics/table.h"
#include "attune/report/openings.h"
#include "attune/report/table.h"
#include "attune/report/units.h"
#include "attune/job/environment.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/job/tuned.h"

namespace attune::app {

namespace {

constexpr std::size_t kMetricWidth = 20;

struct Gate {
  std::string text;
  std::string metric;
  std::string comparison;
  double bound = 0;

  bool holds(double value) const {
    if (comparison == ">=") return value >= bound;
    if (comparison == "<=") return value <= bound;
    return comparison == ">" ? value > bound : value < bound;
  }
};

Gate parse_gate(const std::string& text) {
  const std::size_t at = text.find_first_of("<>");
  Gate gate{.text = text, .metric = text.substr(0, at), .comparison = "", .bound = 0};
  const char* number = nullptr;
  char* end = nullptr;
  if (at != std::string::npos) {
    gate.comparison = text.substr(at, at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1);
    number = text.c_str() + at + gate.comparison.size();
    gate.bound = std::strtod(number, &end);
  }
  if (at == 0 || number == nullptr || end == number || *end != '\0' || !std::isfinite(gate.bound)) {
    throw Error(ErrorKind::usage, {.file = "", .what = concat("--require ", text, " is not METRIC>=NUMBER (or <=, >, <)"), .where = "",
                                   .hint = "for example --require 'accuracy>=0.9'"});
  }
  return gate;
}

/// A bound of a metric from 0 to 100 that was probably written as a share.
void warn_of_share(const Gate& gate, const std::string& name, const std::vector<std::string>& known) {
  if (metrics::bounds_of(name, known).high != 100 || gate.bound <= 0 || gate.bound > 1) return;
  log::warning(concat("--require ", gate.text, ": ", name, " goes from 0 to 100 here, so that ", format_number(gate.bound),
                      " is next to nothing; write ", name, gate.comparison, format_number(100 * gate.bound), " if a share is meant"));
}

/// A gate on a metric that the model does not have is a usage error, before anything is computed.
void check_gates(const std::vector<Gate>& gates, const task::Task& task) {
  std::vector<std::string> known = task.metric_names();
  for (const Gate& gate : gates) {
    const std::string name(metrics::without_eval_prefix(gate.metric));
    warn_of_share(gate, name, known);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw Error(ErrorKind::usage, {.file = "", .what = concat("--require ", gate.text, ": there is no metric '", name, "'"), .where = "",
                                   .hint = metrics::metric_hint(name, known)});
  }
}

/// Says which gates fail; a value that these rows leave undefined fails.
std::vector<std::string> failed_gates(const std::vector<Gate>& gates, const files::Json& metrics) {
  std::vector<std::string> failed;
  for (const Gate& gate : gates) {
    const std::string name(metrics::without_eval_prefix(gate.metric));
    const bool defined = metrics.contains(name) && metrics[name].is_number();
    if (defined && gate.holds(metrics[name].get<double>())) continue;
    const std::string found = defined ? format_number(metrics[name].get<double>()) : "undefined on these rows";
    failed.push_back(concat(name, " is ", found, ", required ", gate.comparison, " ", format_number(gate.bound)));
  }
  return failed;
}

/// Four digits behind the point, or a count as it is.
std::string number_text(const files::Json& value) {
  if (value.is_number_integer()) return value.dump();
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4f", value.get<double>());
  return text.data();
}

std::string metrics_text(const files::Json& metrics, const files::Json& intervals) {
  std::string text;
  for (const auto& [name, value] : metrics.items()) {
    if (!value.is_number()) continue;
    const std::string shown = report::with_unit(name, name, metrics);
    const std::size_t width = report::display_width(shown);
    text += shown + std::string(width < kMetricWidth ? kMetricWidth - width : 0, ' ') + " " + number_text(value);
    if (intervals.contains(name) && report::has_width(intervals[name])) {
      text += concat("   [", number_text(intervals[name][0]), ", ", number_text(intervals[name][1]), "]");
    }
    text += "\n";
  }
  return text;
}

std::vector<std::string> files_to_score(const EvaluateVerb& options, const job::Tuned& tuned) {
  if (!options.data.empty()) return options.data;
  const data::DataOptions& data = tuned.options.data;
  if (!data.test.empty()) return data.test;
  if (!data.validation.empty()) return data.validation;
  throw Error(ErrorKind::usage, {.file = options.model, .what = "the run had no test or validation file", .where = "",
                                 .hint = "attune evaluate MODEL rows.jsonl"});
}

/// Of rows that the run neither learned from nor chose by.
files::Json opening_of(const std::vector<std::string>& paths, const EvaluateVerb& options, const job::Tuned& tuned) {
  const auto contains = [](const std::vector<std::string>& files, const std::string& path) { return std::find(files.begin(), files.end(), path) != files.end(); };
  const data::DataOptions& data = tuned.options.data;
  const bool are_known = std::all_of(paths.begin(), paths.end(), [&](const std::string& path) { return contains(data.train, path) || contains(data.validation, path); });
  if (are_known) return nullptr;
  return job::note_opening(job::openings_file(data, options.model), job::test_rows(paths), "attune evaluate", options.model);
}

}  // namespace

int run_evaluate(const EvaluateVerb& options) {
  report::EventBus events;
  attach_progress(events, options.output);
  std::vector<Gate> gates;
  for (const std::string& text : options.require) gates.push_back(parse_gate(text));
  const job::Tuned tuned = job::open_tuned(options.model, options.overrides);
  check_gates(gates, *tuned.task);
  job::set_threads(tuned.options.threads);
  const std::vector<std::string> paths = files_to_score(options, tuned);
  const job::Rows rows = job::read_rows(tuned, paths, true);
  const files::Json opening = opening_of(paths, options, tuned);
  const auto predictions = job::predict_rows(tuned, rows, events);
  const auto scores = tuned.task->scores(predictions, rows.examples);
  const files::Json metrics = scores->metrics(), intervals = scores->intervals();
  const std::vector<std::string> failed = failed_gates(gates, metrics);
  if (!options.predictions.empty()) {
    files::write_file_atomically(options.predictions, job::prediction_lines(*tuned.task, predictions, rows.examples, false));
  }
  files::Json result = {{"files", paths}, {"metrics", metrics}, {"intervals", intervals}};
  std::string text = metrics_text(metrics, intervals);
  if (!opening.is_null()) {
    result["opening"] = opening;
    text += report::opening_text(opening) + "\n";
  }
  console::print(options.output.json ? files::json_text(result) + "\n" : text);
  if (!failed.empty()) {
    throw Error(ErrorKind::gate, {.file = options.model, .what = concat("gate failed: ", join(failed, "; ")), .where = "--require", .hint = ""});
  }
  return 0;
}

}  // namespace attune::app
