// The rows that self-training may take labels for (data.unlabelled): read without labels, and without texts that are
// known.
#pragma once

#include "attune/data/read.h"
#include "attune/job/prepare.h"

namespace attune::job {

/// Reads them as the training rows are read, but for their labels, weights, groups and times, into prepared.unlabelled,
/// and leaves out every row whose text (data::comparable_text) a validation, test or training row has, or an earlier
/// one of them: a row that is scored must not be learned from. Nothing without self-training. The other splits are
/// known, and are not prompts yet. Tells prepared.data_summary["unlabelled"]: {"read", "rows", "left_out": {"test",
/// "validation", "train", "repeated"}, as far as there are some}. Error{data} where none is left.
void read_unlabelled(Prepared& prepared, const data::DataOptions& options, data::ReadReport& report);

}  // namespace attune::job
