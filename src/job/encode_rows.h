// From the examples of a split to rows for the model: on all cores, told as progress, past bad rows where that is
// wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "attune/data/read.h"
#include "attune/job/prepare.h"

namespace attune::job {

struct Encoding {
  const task::Task& task;
  const text::Tokenizer& tokenizer;
  bool skips_bad_rows = false;                      ///< data.on_bad_row
  bool keeps_texts = true;                          ///< of the examples that are encoded, for whoever reads them later
  std::function<void(std::int64_t)> progress = {};  ///< how many examples are done; on the calling thread
};

/// Fills rows.encoded, in the order of the examples. An example that cannot be encoded (a template that refuses it,
/// nothing to be learned, too long under the policy "error", ids outside the vocabulary) is an Error with file and
/// line; where bad rows are skipped it is taken out of rows.examples and added to `report`, which says what reading them passed over and
/// then lists all by file and line. Error{data} when none is left. Returns how many were taken out.
std::int64_t encode_rows(Rows& rows, const Encoding& encoding, data::ReadReport& report);

/// Forgets what was encoded of the example; target, place and id stay.
void forget_texts(data::Example& example);

/// Warns of what was passed over: "train: 2 bad rows were skipped (data.on_bad_row)" and the rows.
void warn_of_skipped(const data::ReadReport& report, const std::string& split);

}  // namespace attune::job
