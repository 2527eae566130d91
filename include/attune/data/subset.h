// A part of the training rows to train on: the same under the same seed, and smaller parts lie in larger ones.
#pragma once

#include "attune/data/example.h"
#include "attune/data/options.h"
#include "attune/data/split.h"
#include "attune/files/long_list.h"

namespace attune::data {

/// The rows that options.rows or options.per_class takes, sorted. The rows of each class stand in a random order of
/// their own, of which `per_class` takes the beginning. `rows` gives the classes their shares by Webster's method, also
/// known as Sainte-Laguë's: the i-th row (from 0) of a class of n has the place (i + 1/2) / n, and those with the first
/// places are taken. Largest remainders would not do: with one row more a class can get one less (the Alabama paradox),
/// and smaller parts would not lie in larger ones. Targets that are no classes are one class together.
/// Error{data} for more rows than there are and, unless options.short_classes is "all", for classes with fewer than
/// per_class.
Rows choose_subset(const files::ListView<Example>& examples, const SubsetOptions& options);

/// Leaves these rows (sorted) alone in the list, which may lie in a file.
void keep_rows(files::LongList<Example>& examples, const Rows& kept);

}  // namespace attune::data
