// How often test rows have been looked at: a file with a line an opening, which all verbs that score test rows share.
// Whoever chooses by test rows again and again fits them; the count is shown beside the results. It is no part of what
// a run computes: where the file cannot be read or written there is a warning, and the run goes on.
#pragma once

#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/prepare.h"

namespace attune::job {

/// Rows that are opened, by what is in them: a name says nothing.
struct TestRows {
  std::string sha256;  ///< of the file, or of the hashes of several
  std::vector<std::string> files;
};
TestRows test_rows(const std::vector<std::string>& files);
/// Of a run; those that are drawn from its training files are told by these and the draw.
TestRows test_rows(const Prepared& prepared);

/// Where openings are noted: data.openings_file, else test_openings.jsonl beside the folder of the run; of a seed, a
/// fold or a point of a sweep beside the whole run. `folder`: with the run's or the model's files; of a model that is
/// no run the working folder's file counts.
std::string openings_file(const data::DataOptions& options, const std::string& folder);

/// Notes that `verb` opens the rows for `folder`. Returns {"test_sha256", "file", "before": openings of the same rows
/// before this one (null where the file cannot be read), "by": the last five of them [{"time", "by", "output_dir"}],
/// "noted": whether this one could be}.
files::Json note_opening(const std::string& file, const TestRows& rows, const std::string& verb,
                         const std::string& folder);

/// The same, once a run: <output_dir>/opening.json remembers it for a run that goes on, and for seeds that come later.
/// Any thread.
files::Json note_opening(const RunOptions& options, const std::string& verb);
files::Json note_opening(const Prepared& prepared, const std::string& verb);
/// What the run's folder remembers; null where its test rows were not opened.
files::Json noted_opening(const RunOptions& options);

}  // namespace attune::job
