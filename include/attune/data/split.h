// Divides rows into training, validation and test rows and into folds, as pure functions of the rows' keys and a seed.
// Rows of one group never part. Every index vector that is returned is sorted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/base/random.h"
#include "attune/data/example.h"
#include "attune/data/options.h"

namespace attune::data {

using Rows = std::vector<std::int64_t>;

/// What dividing looks at, by row.
struct SplitKeys {
  std::vector<std::int64_t> strata;  ///< class, or set of classes; 0 for all rows where the target is not of classes
  std::vector<std::string> names;    ///< of the strata, for messages
  std::vector<std::int64_t> groups;  ///< number of the row's group; empty without a group column
  std::vector<double> times;         ///< empty without a time column
  std::int64_t rows() const { return static_cast<std::int64_t>(strata.size()); }
};

/// The name of a row's stratum: its class, or all its classes; other targets form one stratum, "".
std::string stratum_name(const Target& target);

/// Error{data} when some times are dates and others plain numbers.
SplitKeys split_keys(std::span<const Example> examples);

enum class SplitMethod {
  random,      ///< with groups as `group`
  stratified,  ///< every class gives its share, exact to one row; with groups as near as whole groups allow
  group,       ///< whole groups at random
  time,  ///< the newest rows (of equal times the later in the file); with groups the groups with the newest last row
};

/// The method that the option `split` names.
SplitMethod split_method(const std::string& option);

struct HoldoutPlan {
  double size = 0;  ///< share (< 1) or number of rows to hold out
  SplitMethod method = SplitMethod::stratified;
};

struct Holdout {
  Rows kept;
  Rows held_out;
};

/// Holds out a part of `rows` (sorted indices into the keys). A class keeps at least one row wherever it can.
/// Error{data} when fewer than one row would be held out or kept, Error{usage} for `group` without groups and `time`
/// without times.
Holdout hold_out(const SplitKeys& keys, const Rows& rows, const HoldoutPlan& plan, const RandomKey& key);

struct Splits {
  Rows train;
  Rows validation;
  Rows test;
};

/// The options val_size, test_size and split: first the test rows, then of the rest the validation rows; both shares
/// count from all rows. By time the test rows are newest, the validation rows next. A size of 0 gives an empty part.
Splits make_splits(const SplitKeys& keys, const DataOptions& options, std::uint64_t seed);

struct FoldPlan {
  std::int64_t folds = 5;
  std::int64_t repeats = 1;
  bool stratify = true;
  std::uint64_t seed = 42;
  bool by_time = false;  ///< folds in order of time: train on the past, hold the next block out
};

struct Fold {
  std::int64_t repeat = 0;
  std::int64_t fold = 0;
  Rows train;
  Rows held_out;
};

struct FoldSet {
  std::vector<Fold> folds;            ///< repeat by repeat
  std::vector<std::string> warnings;  ///< classes that some fold lacks
};

/// k-fold cross-validation, `repeats` times. Within a repeat every row is held out once. Without groups the folds'
/// sizes differ by at most one row, and stratified each class's too; with groups whole groups are dealt, stratified as
/// near as they allow. Error{data} for fewer rows, or fewer groups, than folds; Error{usage} for fewer than 2 folds or
/// 1 repeat.
///
/// By time (scikit-learn's TimeSeriesSplit): of n rows from old to new, the newest k · ⌊n / (k + 1)⌋ are held out in k
/// blocks of equal size, and a fold trains on all rows before its block; the oldest rows are never held out. Of rows of
/// the same time the later in the file is the newer. Error{usage} without times, Error{data} for no more rows than
/// folds; groups, strata and repeats have no place there and are a defect of the caller.
FoldSet make_folds(const SplitKeys& keys, const FoldPlan& plan);

/// Divides a fold's training rows once more: what early stopping and the choice of the best model may see. By group
/// where there are groups, stratified when the folds are; the newest rows where folds go by time.
Holdout inner_validation(const SplitKeys& keys, const Fold& fold, double share, const FoldPlan& plan);

/// SHA-256 of the parts: equal exactly when the same rows lie in the same parts.
std::string split_fingerprint(std::span<const Rows> parts);

}  // namespace attune::data
