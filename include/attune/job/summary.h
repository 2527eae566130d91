// What people read of a run: the table on the terminal, report.html and the model card.
#pragma once

#include <string>

#include "attune/job/prepare.h"

namespace attune::job {

/// The result table: majority rate, validation, test with 95 % intervals, folds, seeds.
std::string result_table(const files::Json& results);

/// report.html and README.md (model card) of the output folder, from the results and events.jsonl.
void write_report(const Prepared& prepared, const files::Json& results);

/// report.html alone, into the folder.
void write_page(const RunOptions& options, const files::Json& results, const std::string& folder);

}  // namespace attune::job
