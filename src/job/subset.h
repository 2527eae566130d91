// data.subset: the part of the training rows that a job trains on.
#pragma once

#include "attune/data/example.h"
#include "attune/data/labels.h"
#include "attune/data/options.h"
#include "attune/files/json.h"
#include "attune/files/long_list.h"

namespace attune::job {

/// Leaves the training rows that options.subset chooses; `labels`, of all of them, stay as they are. → null where there
/// is no subset, else {"rows", "of", "seed", "per_class" where that was asked for, "short_classes": {name: rows} of those with
/// fewer}. Error{usage} for per_class where rows have no single class, else as data::choose_subset.
files::Json take_subset(const data::DataOptions& options, const data::LabelMap& labels, files::LongList<data::Example>& train);

}  // namespace attune::job
