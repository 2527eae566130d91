// The sections of the report page. Each returns HTML, or "" when the run has nothing to say there.
#pragma once

#include <string>
#include <vector>

#include "attune/files/json.h"
#include "run_history.h"

namespace attune::report {

/// The predictions a page speaks of first: test, else the pooled folds, else validation.
struct MainSplit {
  std::string name;  ///< "test", "held-out folds", "validation" or "" when there is none
  const files::Json* metrics = nullptr;
  const files::Json* intervals = nullptr;
  const files::Json* samples = nullptr;  ///< of generated texts; null where there are none
};
MainSplit main_split(const files::Json& summary);

/// Names of the single numbers of a metrics object, without row counts, running times and repeated names.
std::vector<std::string> metric_names(const files::Json& metrics);
/// The few of them that a reader looks at first.
std::vector<std::string> headline_metrics(const files::Json& metrics);

std::string results_section(const files::Json& summary);
std::string samples_section(const files::Json& summary);
/// Generated texts, task::Scores::samples, by a metric with that label; `split`: whose rows they are.
std::string samples_html(const files::Json& samples, const std::string& label, const std::string& split);
std::string curves_section(const RunHistory& history);
std::string folds_section(const files::Json& summary);
/// The points of a sweep, of which this run is one.
std::string sweep_section(const files::Json& summary);
std::string seeds_section(const files::Json& summary);
/// Self-training: what its rounds found.
std::string rounds_section(const files::Json& summary);
std::string classes_section(const files::Json& summary);
std::string thresholds_section(const files::Json& summary);
std::string calibration_section(const files::Json& summary);
std::string data_section(const files::Json& summary);
std::string model_section(const files::Json& summary, const RunHistory& history);
std::string cost_section(const files::Json& summary);
std::string settings_section(const files::Json& summary);

}  // namespace attune::report
