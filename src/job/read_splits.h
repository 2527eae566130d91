// The rows of a run, from its files to splits.
#pragma once

#include <map>
#include <string>

#include "attune/data/options.h"
#include "attune/data/read.h"
#include "attune/job/prepare.h"

namespace attune::job {

/// What was passed over of each split, when it was read and when it was encoded.
using Skipped = std::map<std::string, data::ReadReport>;

/// The data options as the task needs them: folds may name the group column, and a wording more columns.
data::DataOptions data_options(const Prepared& prepared);

/// Training rows decide what labels are; the other files are read as they were and checked against them.
void read_splits(Prepared& prepared, Skipped& skipped);

/// Validation and test rows that are drawn from the training rows; what is left of these may then be a part of them
/// (data.subset).
void hold_out(Prepared& prepared);

/// Over all splits, from 0. The numbers ascend already.
void number_rows(Prepared& prepared);

}  // namespace attune::job
