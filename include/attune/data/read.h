// From files to Examples: the columns of every row read as the options say, every flaw an error that names file, line
// and column.
//
// Labels, by the option `labels`:
//   single      a text, whole number or boolean is the name of one class
//   multi       a JSON list of texts or whole numbers; in CSV and TSV the names in one cell with | between them, an
//   empty cell none regression  a finite number auto        decided by the rows of this call: a list is several labels,
//   any number with a fraction makes all numbers values,
//               all else is one class. In CSV and TSV every label is the name of a class.
// Evaluation files are read with the decision of the training files: labels_setting(collect_labels(training).kind).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/error.h"
#include "attune/data/example.h"
#include "attune/data/labels.h"
#include "attune/data/options.h"
#include "attune/files/long_list.h"

namespace attune::data {

/// What the columns of a row are read as.
enum class RowKind {
  classification,  ///< text, optional text_pair, label; or input_ids
  token_labels,    ///< list of words, list of tags
  masked_lm,       ///< text; or input_ids
  span_qa,         ///< question, context, answers
  language,        ///< text; prompt and completion; a chat in one of three shapes; or input_ids
};

enum class LabelNeed {
  required,
  optional,  ///< rows to predict: a missing or null label gives no target, .txt files are welcome
  awaited,   ///< the same, and texts are to be generated: rows of a language model may lack the answer (Example::awaits_answer)
};

struct SkippedRow {
  Origin origin;
  std::string message;  ///< "train.csv:17: column 'text' is empty"
};

/// What reading, checking and encoding passed over (on_bad_row: skip).
struct ReadReport {
  static constexpr std::size_t kMaxListed = 20;

  std::int64_t rows = 0;     ///< read and kept
  std::int64_t skipped = 0;  ///< passed over
  std::vector<SkippedRow> skipped_rows;  ///< the first kMaxListed

  void add_skipped(SkippedRow row);
};

/// Error{data}: of the rows of the files, which are distinct, `skipped` were passed over, `first` the first of them, and none is left.
Error no_usable_row(const std::vector<std::string>& files, std::int64_t skipped, const SkippedRow& first);

/// The rows of all files in order, numbered from 0; rows that are skipped count, so that a number says which row of the
/// files it is. Rows with a list `input_ids` (classification, masked LM, no template) skip the tokenizer. Columns that no
/// option names are passed over, but for `id`; options.kept_columns come along where a row has them and they are not null.
/// Error{data} for a file that cannot be read or gives no row, and for the first bad row unless on_bad_row is "skip".
std::vector<Example> read_examples(const std::vector<std::string>& files, const DataOptions& options, RowKind kind,
                                   ReadReport& report, LabelNeed need = LabelNeed::required);
/// The same into `examples`, which is empty, one row after another.
void read_examples(const std::vector<std::string>& files, const DataOptions& options, RowKind kind, ReadReport& report,
                   LabelNeed need, files::LongList<Example>& examples);

/// The value of the option `labels` that reads further files as the training rows were read.
std::string labels_setting(TargetKind kind);

/// SHA-256 of what `sha256sum FILES…` prints when it is called in their folder: 64 hexadecimal digits.
std::string fingerprint_files(const std::vector<std::string>& files);

}  // namespace attune::data
