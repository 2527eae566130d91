// `attune compare`: many methods answer one sealed test set; which is worth it, how sure is that, what does it cost.
#pragma once

#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"
#include "attune/study/method.h"

namespace attune::study {

/// Carries the methods out one after another, each in methods/<name>, and compares their answers to the test rows.
/// Writes into options.output_dir compare.json (what must not change), opening.json, report.html and
/// compare_results.json, which is returned; docs/compare.md describes it. With options.resume_from_checkpoint "auto"
/// what is finished is read. After a signal "stopped_by" is "signal", and there is nothing else of worth.
/// Error{usage} for fewer than two methods, Error{resume_refused} for a folder with another comparison; else as
/// read_method_rows and carry_out.
files::Json compare(const job::RunOptions& options, const std::vector<Method>& methods,
                    const report::EventBus& events);

}  // namespace attune::study
