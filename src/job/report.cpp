// report.html and the model card of a run.
#include <nlohmann/json.hpp>

#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/summary.h"
#include "attune/report/html.h"
#include "attune/report/model_card.h"

namespace attune::job {

namespace {

files::Json with_settings(const RunOptions& options, files::Json results) {
  results["settings"] = config::effective(options);
  if (options.model.init == "pretrained") results["base_model"] = options.model.path;
  return results;
}

}  // namespace

void write_report(const Prepared& prepared, const files::Json& results) {
  const std::string& folder = prepared.options.output_dir;
  write_page(prepared.options, results, folder);
  files::Json summary = with_settings(prepared.options, results);
  summary["labels"] = prepared.labels.names;
  files::write_file_atomically(folder + "/README.md", report::model_card(summary));
}

void write_page(const RunOptions& options, const files::Json& results, const std::string& folder) {
  files::Json summary = with_settings(options, results);
  summary["output_dir"] = folder;
  files::write_file_atomically(folder + "/report.html", report::html_report(summary, folder + "/events.jsonl"));
}

}  // namespace attune::job
