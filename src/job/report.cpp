// report.html and the model card of a run.
#include <nlohmann/json.hpp>

#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/summary.h"
#include "attune/report/html.h"
#include "attune/report/model_card.h"

namespace attune::job {

void write_report(const Prepared& prepared, const files::Json& results) {
  const std::string& folder = prepared.options.output_dir;
  files::Json summary = results;
  summary["settings"] = config::effective(prepared.options);
  if (prepared.options.model.init == "pretrained") summary["base_model"] = prepared.options.model.path;
  summary["labels"] = prepared.labels.names;
  files::write_file_atomically(folder + "/report.html", report::html_report(summary, folder + "/events.jsonl"));
  files::write_file_atomically(folder + "/README.md", report::model_card(summary));
}

}  // namespace attune::job
