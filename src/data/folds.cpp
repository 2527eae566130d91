// See split.h: cross-validation.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/data/split.h"
#include "group_split.h"

namespace attune::data {

namespace {

Rows all_rows(const SplitKeys& keys) {
  Rows rows(static_cast<std::size_t>(keys.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

void check_plan(const SplitKeys& keys, const FoldPlan& plan) {
  if (plan.folds < 2 || plan.repeats < 1) {
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = concat(plan.folds, " folds and ", plan.repeats,
                                                  " repeats were found, at least 2 folds and 1 repeat were expected"),
                                   .where = "cross_validation",
                                   .hint = ""});
  }
  const bool by_group = !keys.groups.empty();
  const std::int64_t units = by_group ? count_groups(keys, all_rows(keys)) : keys.rows();
  if (units >= plan.folds) return;
  throw Error(ErrorKind::data, {.file = "",
                                .what = concat(plan.folds, " folds need at least as many ",
                                               by_group ? "groups" : "rows", ", there are ", units),
                                .where = "cross_validation.folds",
                                .hint = "use fewer folds, or give more data"});
}

std::vector<std::string> small_classes(const SplitKeys& keys, const FoldPlan& plan) {
  std::vector<std::set<std::int64_t>> units(keys.names.size());
  for (std::size_t i = 0; i < keys.strata.size(); ++i) {
    const std::int64_t unit = keys.groups.empty() ? static_cast<std::int64_t>(i) : keys.groups[i];
    units[static_cast<std::size_t>(keys.strata[i])].insert(unit);
  }
  std::vector<std::string> warnings;
  for (std::size_t s = 0; s < units.size(); ++s) {
    if (static_cast<std::int64_t>(units[s].size()) >= plan.folds) continue;
    warnings.push_back(concat("class ", in_quotes(keys.names[s]), " has ", units[s].size(),
                              keys.groups.empty() ? " rows" : " groups", ", fewer than the ", plan.folds,
                              " folds: some folds hold none of it out"));
  }
  return warnings;
}

/// Deals shuffled rows in turn, class after class; the next class goes on at the fold where the last one ended, so that
/// both the classes and the folds as wholes are even to one row.
std::vector<std::size_t> deal_rows(const SplitKeys& keys, const FoldPlan& plan, const RandomKey& key) {
  std::map<std::int64_t, Rows> classes;
  for (const std::int64_t row : key.permutation(keys.rows())) {
    classes[plan.stratify ? keys.strata[static_cast<std::size_t>(row)] : 0].push_back(row);
  }
  std::vector<std::size_t> fold_of(static_cast<std::size_t>(keys.rows()));
  std::size_t next = 0;
  for (const auto& [number, rows] : classes) {
    for (const std::int64_t row : rows) {
      fold_of[static_cast<std::size_t>(row)] = next++ % static_cast<std::size_t>(plan.folds);
    }
  }
  return fold_of;
}

}  // namespace

FoldSet make_folds(const SplitKeys& keys, const FoldPlan& plan) {
  check_plan(keys, plan);
  FoldSet set;
  if (plan.stratify) set.warnings = small_classes(keys, plan);
  const auto folds = static_cast<std::size_t>(plan.folds);
  for (std::int64_t repeat = 0; repeat < plan.repeats; ++repeat) {
    const RandomKey key = RandomKey(plan.seed, "folds").with(static_cast<std::uint64_t>(repeat));
    const std::vector<double> shares(folds, 1.0 / static_cast<double>(folds));
    const auto fold_of = keys.groups.empty() ? deal_rows(keys, plan, key)
                                             : deal_groups(keys, all_rows(keys), shares, plan.stratify, key);
    for (std::size_t k = 0; k < folds; ++k) {
      Fold& fold = set.folds.emplace_back(Fold{repeat, static_cast<std::int64_t>(k), {}, {}});
      for (std::size_t row = 0; row < fold_of.size(); ++row) {
        (fold_of[row] == k ? fold.held_out : fold.train).push_back(static_cast<std::int64_t>(row));
      }
    }
  }
  return set;
}

Holdout inner_validation(const SplitKeys& keys, const Fold& fold, double share, const FoldPlan& plan) {
  const RandomKey key = RandomKey(plan.seed, "inner_validation")
                            .with(static_cast<std::uint64_t>(fold.repeat))
                            .with(static_cast<std::uint64_t>(fold.fold));
  return hold_out(keys, fold.train, {share, plan.stratify ? SplitMethod::stratified : SplitMethod::random}, key);
}

}  // namespace attune::data
