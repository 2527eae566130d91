// Puts the report page together.
#include "attune/report/html.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/strings.h"
#include "attune/report/event_file.h"
#include "html_page.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

std::string text_of(const files::Json& summary, const char* key) {
  const files::Json& value = member(summary, {key});
  return value.is_string() ? value.get<std::string>() : "";
}

std::string run_name(const files::Json& summary) {
  const std::filesystem::path folder = text_of(summary, "output_dir");
  const std::string name =
      folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string();
  return name.empty() ? "Training run" : name;
}

std::string ending(const files::Json& summary) {
  const std::string stopped_by = text_of(summary, "stopped_by");
  if (stopped_by == "early_stopping") return "stopped early";
  return stopped_by == "signal" ? "stopped by a signal" : "";
}

std::string header_html(const files::Json& summary, const RunHistory& history) {
  std::string html;
  if (const std::string about = text_of(summary, "about"); !about.empty())
    html += "<p>" + escape_html(about) + "</p>\n";
  std::vector<std::string> facts;
  if (const std::string base = text_of(summary, "base_model"); !base.empty())
    facts.push_back("base model " + escape_html(base));
  if (!history.began.empty()) facts.push_back("begun " + escape_html(history.began));
  if (const files::Json& seconds = member(summary, {"seconds"}); seconds.is_number()) {
    facts.push_back("took " + format_duration(seconds.get<double>()));
  }
  if (const std::string how = ending(summary); !how.empty()) facts.push_back(how);
  if (!facts.empty()) html += "<p class=\"soft\">" + join(facts, " · ") + "</p>\n";
  return html;
}

}  // namespace

std::string html_report(const files::Json& summary, std::span<const Event> events) {
  const RunHistory history = read_history(events);
  const std::vector<Section> sections = {{"results", "Results", results_section(summary)},
                                         {"sweep", "Sweep", sweep_section(summary)},
                                         {"texts", "Generated texts", samples_section(summary)},
                                         {"folds", "Cross-validation", folds_section(summary)},
                                         {"seeds", "Seeds", seeds_section(summary)},
                                         {"rounds", "Self-training", rounds_section(summary)},
                                         {"curves", "Training", curves_section(history)},
                                         {"classes", "Classes", classes_section(summary)},
                                         {"thresholds", "Thresholds", thresholds_section(summary)},
                                         {"calibration", "Calibration", calibration_section(summary)},
                                         {"data", "Data", data_section(summary)},
                                         {"model", "Model", model_section(summary, history)},
                                         {"cost", "Cost", cost_section(summary)},
                                         {"settings", "Settings", settings_section(summary)}};
  return html_page({.title = run_name(summary), .header = header_html(summary, history), .version = value_text(member(history.environment, {"attune"}))}, sections);
}

std::string html_report(const files::Json& summary, const std::string& events_path) {
  const std::vector<Event> events = read_events(events_path);
  return html_report(summary, std::span<const Event>(events));
}

}  // namespace attune::report
