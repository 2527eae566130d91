// What Prepared::data_summary tells of the rows, with warnings of what a user should look at.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "attune/data/overlap.h"
#include "attune/job/prepare.h"

namespace attune::job {

/// train, validation and test, also where they are empty.
std::vector<std::pair<const char*, Rows*>> named_splits(Prepared& prepared);

/// Texts that occur twice, [{"between": [split, split], "rows", "other_label", "message"}], or null. Warns of those of two
/// splits, and of those with two labels.
files::Json duplicates_of(std::span<const data::NamedSplit> splits);
/// The same of the job's splits, where there are some.
void summarise_overlap(Prepared& prepared);
/// Rows of each label.
void summarise_labels(Prepared& prepared);
/// Tokens of the training rows.
void summarise_lengths(Prepared& prepared);
/// "row", or "window" where rows were cut into more than one.
const char* thing_of(std::span<const task::Encoded> rows);
/// Warns of what the length policy did to rows of a language model and returns the counts that are not 0: {"truncated", "dropped",
/// "split"}. Error{data} where no row is left.
files::Json tell_of_cuts(const std::string& name, const Rows& rows, std::int64_t max_length);
/// What the length policy did to the rows of each split, and whether prompts are read as they will be given. Error{data}
/// where no row is left.
void summarise_language_rows(Prepared& prepared);

}  // namespace attune::job
