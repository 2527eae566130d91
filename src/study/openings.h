// How often a test set has been looked at: a file with a line an opening. Whoever chooses by test rows again and again
// fits them; the count is shown beside the results.
#pragma once

#include <string>

#include "attune/files/json.h"
#include "attune/job/options.h"

namespace attune::study {

/// Where openings are noted: compare.openings_file, else test_openings.jsonl in the folder that holds output_dir.
std::string openings_file(const job::RunOptions& options);

/// Notes in the file that the test rows of the options are opened by `verb`, once a run: <output_dir>/opening.json
/// remembers it for one that goes on. Returns {"test_sha256", "file", "before": openings of the same rows before this
/// one, "by": the last five of them [{"time", "by", "output_dir"}]}. Error{data} for a file with other lines,
/// Error{storage} where it cannot be written.
files::Json note_opening(const job::RunOptions& options, const std::string& verb);

}  // namespace attune::study
