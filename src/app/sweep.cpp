// attune sweep: runs every combination of some settings, chooses by the validation rows or folds and scores the test rows once.
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

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
#include "attune/job/sweep.h"
#include "attune/report/openings.h"
#include "attune/report/sweep.h"
#include "attune/report/table.h"
#include "attune/report/units.h"

namespace attune::app {

namespace {

using files::Json;

constexpr std::size_t kMostPoints = 10'000;

[[noreturn]] void refuse(const std::string& given, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = concat("--vary ", given, what), .where = "", .hint = hint});
}

/// The rows that points are compared on must be the same, as is what they share, and each has a folder of its own.
void check_key(const std::string& given, const std::string& key) {
  for (const char* fixed : {"output_dir", "overwrite_output_dir", "resume_from_checkpoint", "config_version", "data.validation", "data.test", "data.val_size",
                            "data.test_size", "data.split", "data.split_seed", "cross_validation",
                            "training.prefix_cache_mib"}) {
    if (key == fixed || key.starts_with(concat(fixed, "."))) refuse(given, concat(": '", fixed, "' must be the same for all points"), "set it in the configuration");
  }
  if (key == "seeds" || key == "seed") refuse(given, ": seeds are no settings to choose among", "\"seeds\": [1, 2, 3] trains each point under each and compares means");
}

/// KEY=V1,V2 or KEY=[V1, V2] → "KEY=V1", "KEY=V2".
std::vector<std::string> settings_of(const std::string& given) {
  const std::size_t at = given.find('=');
  if (at == 0 || at == std::string::npos) refuse(given, " is not KEY=V1,V2", "for example --vary training.learning_rate=1e-4,3e-4");
  const std::string key = given.substr(0, at), text = given.substr(at + 1);
  check_key(given, key);
  std::vector<std::string> values;
  const Json list = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (list.is_array()) {
    for (const Json& value : list) values.push_back(value.dump());
  } else {
    values = split(text, ',');
  }
  std::vector<std::string> settings;
  for (const std::string& value : values) {
    if (value.empty()) refuse(given, ": a value is empty", "separate values by single commas");
    settings.push_back(concat(key, "=", value));
    if (std::count(settings.begin(), settings.end(), settings.back()) > 1) refuse(given, concat(": ", value, " stands there twice"), "name each value once");
  }
  return settings;
}

/// Every combination, the first key slowest.
std::vector<std::vector<std::string>> grid(const std::vector<std::string>& vary) {
  if (vary.empty()) throw Error(ErrorKind::usage, {.file = "", .what = "nothing varies", .where = "--vary", .hint = "for example --vary training.learning_rate=1e-4,3e-4"});
  std::vector<std::vector<std::string>> points = {{}};
  for (const std::string& given : vary) {
    std::vector<std::vector<std::string>> more;
    for (const auto& point : points) {
      for (const std::string& setting : settings_of(given)) {
        more.push_back(point);
        more.back().push_back(setting);
      }
    }
    points = std::move(more);
    if (points.size() > kMostPoints) refuse(given, concat(" makes more than ", kMostPoints, " combinations"), "vary less at once");
  }
  return points;
}

std::string cell(const Json& value) { return value.is_number() ? print_number("%.4f", value.get<double>()) : "–"; }

std::string interval_text(const Json& interval) {
  return report::has_width(interval) ? concat("[", cell(interval[0]), ", ", cell(interval[1]), "]") : "";
}

std::string points_text(const std::vector<job::SweepPoint>& points) {
  std::vector<std::vector<std::string>> rows;
  for (const job::SweepPoint& point : points) rows.push_back({point.name, join(point.settings, "  ")});
  return report::text_table({"point", "settings"}, rows) + "nothing was written (--dry-run)\n";
}

std::string names_text(const Json& names) {
  std::vector<std::string> texts;
  for (const Json& name : names) texts.push_back(name.get<std::string>());
  return join(texts, ", ");
}

std::string results_text(const Json& results) {
  const std::string metric = results["metric"].get<std::string>();
  std::vector<std::vector<std::string>> rows;
  for (const Json& point : results["points"]) {
    const std::string settings = join(point["settings"].get<std::vector<std::string>>(), "  ");
    if (point.contains("failed")) {
      rows.push_back({point["name"].get<std::string>(), settings, "diverged", "", ""});
    } else {
      rows.push_back({point["name"].get<std::string>(), settings, cell(point["value"]), interval_text(point["interval"]), format_duration(point["seconds"].get<double>())});
    }
  }
  std::string text = report::text_table({"point", "settings", concat(metric, " of the ", results["measured_on"].get<std::string>()), "95 %", "time"}, rows) + "\n";
  text += concat("cost      ", report::sweep_cost_text(results), "\n");
  const std::string chosen = results["chosen"].get<std::string>();
  text += concat("chosen    ", chosen, ", the best of ", rows.size(), " by ", metric, "; since it was chosen by them, its value on these rows is flattering\n");
  if (!results["within_interval"].empty()) text += concat("close     ", names_text(results["within_interval"]), ": within the interval of ", chosen, "\n");
  if (results.contains("test")) {
    const Json &metrics = results["test"]["metrics"], &intervals = results["test"]["intervals"];
    for (const auto& [name, value] : metrics.items()) {
      if (name != metric && name != "accuracy" && name != "loss") continue;
      text += concat("test      ", name, " ", cell(value), intervals.contains(name) ? " " + interval_text(intervals[name]) : "", "\n");
    }
  }
  if (results.contains("opening")) text += concat("opened    ", report::opening_text(results["opening"]), "\n");
  return concat(text, "folder    ", results["output_dir"].get<std::string>(), " (sweep_results.json, point-*/ and the files of ", chosen, ")\n");
}

}  // namespace

int run_sweep(const SweepVerb& options) {
  ignore_broken_pipes();
  const auto load = [&](std::vector<std::string> settings) {
    settings.insert(settings.begin(), options.overrides.begin(), options.overrides.end());
    if (options.resume) settings.emplace_back("resume_from_checkpoint=auto");
    return config::load(options.config, settings, job::machine());
  };
  const job::RunOptions common = load({});
  if (!options.resume && !common.resume_from_checkpoint.empty()) {
    throw Error(ErrorKind::usage, {.file = options.config, .what = "a sweep does not begin at a checkpoint", .where = "resume_from_checkpoint",
                                   .hint = "leave it out; attune sweep --resume goes on with a sweep that was stopped"});
  }
  std::vector<job::SweepPoint> points;
  for (std::vector<std::string>& settings : grid(options.vary)) {
    job::SweepPoint point{.name = concat("point-", points.size() + 1), .settings = settings, .options = load(settings)};
    point.options.output_dir = concat(common.output_dir, "/", point.name);
    points.push_back(std::move(point));
  }
  if (options.dry_run) {
    Json list = Json::array();
    for (const job::SweepPoint& point : points) list.push_back({{"name", point.name}, {"settings", point.settings}});
    console::print(options.output.json ? files::json_text(list) + "\n" : points_text(points));
    return 0;
  }
  report::EventBus events;
  attach_progress(events, options.output);
  const std::string resuming = resuming_command({.verb = "sweep", .config = options.config, .overrides = options.overrides, .vary = options.vary},
                                                common.overwrite_output_dir);  // before the file can change under the run
  const Json results = job::sweep(common, points, events);
  if (results["stopped_by"] == "signal") {
    std::fprintf(stderr, "stopped by a signal after a good save; go on with: %s\n", resuming.c_str());
    return 128 + stop_signal();
  }
  console::print(options.output.json ? files::json_text(results) + "\n" : results_text(results));
  return 0;
}

}  // namespace attune::app
