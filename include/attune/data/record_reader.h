// The rows of a data file as Records, whatever its form. The name chooses the form; whether it is gzip, the content
// says.
#pragma once

#include <memory>
#include <string>

#include "attune/data/record.h"

namespace attune::data {

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  /// False at the end. BadRow leaves the reader behind the row; any other Error ends the file.
  virtual bool next(Record& record) = 0;
};

/// .jsonl, .json (one object a line, or one list of objects), .csv, .tsv (header line first), .txt (each line a row with the one column
/// "text"), each also with .gz behind it. Empty lines are passed over. Error{data} for other names, unreadable files
/// and bad headers.
/// `text_unit`: what a row of a .txt file is, "line", "paragraph" (lines up to an empty one) or "file".
std::unique_ptr<RecordReader> open_records(const std::string& path, const std::string& text_unit = "line");

/// Error{data} for a folder, with the data files in it, and where there is nothing, with the names that come near.
void require_file(const std::string& path);

/// Whether the file is a .txt or .txt.gz, whose rows have a text and nothing else.
bool is_plain_text(const std::string& path);

/// Whether the name says that rows have columns: .jsonl, .json, .ndjson, .csv or .tsv, also with .gz behind it.
bool has_columns(const std::string& path);

}  // namespace attune::data
