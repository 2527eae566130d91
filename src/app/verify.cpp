// attune verify: exit 0 when a run or a study still holds (bit-equal or within tolerance), 9 when something changed.
#include <nlohmann/json.hpp>

#include "app/observers.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/job/verify.h"
#include "attune/study/verify.h"

namespace attune::app {

namespace {

std::string result_text(const files::Json& result) {
  std::string text = concat(result["run"].get<std::string>(), ": ", result["verdict"].get<std::string>(), " (",
                            result["steps_replayed"].dump(), " steps replayed)\n");
  for (const char* key : {"differences", "environment_differences"}) {
    for (const auto& line : result[key]) text += "  " + line.get<std::string>() + "\n";
  }
  for (const files::Json& replay : result["replays"]) {
    text += concat("  ", replay["training"].get<std::string>(), ": ", replay["steps"].dump(), " of ", replay["of"].dump(), " steps");
    if (replay.contains("first_difference")) {
      const files::Json& first = replay["first_difference"];
      text += concat(", first difference at step ", first["step"].dump(), ": ", first["what"].get<std::string>());
    } else {
      text += " equal to the bit";
    }
    text += "\n";
  }
  for (const auto& line : result["not_replayed"]) text += "  not replayed: " + line.get<std::string>() + "\n";
  return text;
}

std::string study_text(const files::Json& result) {
  std::string text = concat(result["run"].get<std::string>(), " (attune ", result["study"].get<std::string>(), "): ",
                            result["verdict"].get<std::string>(), "\n");
  for (const auto& line : result["differences"]) text += "  " + line.get<std::string>() + "\n";
  for (const auto& line : result["checked"]) text += "  checked: " + line.get<std::string>() + "\n";
  for (const auto& line : result["not_checked"]) text += "  not checked: " + line.get<std::string>() + "\n";
  return text;
}

/// A sweep has results of its own and is a run all the same.
bool is_only_study(const std::string& folder) {
  return !path_exists(folder + "/run_manifest.json", ErrorKind::usage) && study::is_study(folder);
}

int verify_study(const VerifyVerb& options, const report::EventBus& events) {
  const files::Json result = study::verify({.folder = options.run, .rows = options.steps, .runs = options.runs}, events);
  console::print(options.output.json ? files::json_text(result) + "\n" : study_text(result));
  if (stop_signal() != 0) return 128 + stop_signal();
  return result["verdict"] == "changed" ? static_cast<int>(ErrorKind::mismatch) : 0;
}

}  // namespace

int run_verify(const VerifyVerb& options) {
  report::EventBus events;
  attach_progress(events, options.output);
  if (is_only_study(options.run)) return verify_study(options, events);
  if (options.runs) {
    throw Error(ErrorKind::usage, {.file = options.run,
                                   .what = "--runs is of comparisons and learning curves, and this is no folder of one",
                                   .where = "command line",
                                   .hint = "leave it out; all trainings of a run are repeated"});
  }
  const files::Json result = job::verify({.run = options.run, .steps = options.steps}, events);
  console::print(options.output.json ? files::json_text(result) + "\n" : result_text(result));
  return result["verdict"] == "changed" ? static_cast<int>(ErrorKind::mismatch) : 0;
}

}  // namespace attune::app
