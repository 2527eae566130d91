// See split.h: cross-validation.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "attune/base/counted.h"
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

void check_time_plan(const SplitKeys& keys, const FoldPlan& plan) {
  if (plan.stratify || plan.repeats > 1 || !keys.groups.empty()) {
    internal_error("folds by time are neither stratified nor repeated nor grouped");
  }
  if (keys.times.empty()) {
    throw Error(ErrorKind::usage,
                {.file = "",
                 .what = "folds in order of time need the time of every row, and no column is named for it",
                 .where = "cross_validation.by_time",
                 .hint = "set data.columns.time"});
  }
  if (keys.rows() > plan.folds) return;
  throw Error(ErrorKind::data,
              {.file = "",
               .what = concat(plan.folds, " folds in order of time need more rows than folds, there are ", keys.rows()),
               .where = "cross_validation.folds",
               .hint = "use fewer folds, or give more data"});
}

constexpr std::size_t kNamedClasses = 5;

/// One warning for all classes that not every fold can hold out.
std::vector<std::string> small_classes(const SplitKeys& keys, const FoldPlan& plan) {
  std::vector<std::set<std::int64_t>> units(keys.names.size());
  for (std::size_t i = 0; i < keys.strata.size(); ++i) {
    const std::int64_t unit = keys.groups.empty() ? static_cast<std::int64_t>(i) : keys.groups[i];
    units[static_cast<std::size_t>(keys.strata[i])].insert(unit);
  }
  std::vector<std::string> small;
  for (std::size_t s = 0; s < units.size(); ++s) {
    const auto size = static_cast<std::int64_t>(units[s].size());
    if (size < plan.folds) small.push_back(concat(in_quotes(keys.names[s]), " (", size, ")"));
  }
  if (small.empty()) return {};
  const std::size_t all = small.size();
  if (all > kNamedClasses) {
    small.resize(kNamedClasses);
    small.push_back(concat("and ", all - kNamedClasses, " more"));
  }
  return {concat(all == 1 ? "a class has" : concat(all, " classes have"), " fewer ", keys.groups.empty() ? "rows" : "groups", " than the ", plan.folds,
                 " folds, so some folds hold none of ", all == 1 ? "it" : "them", " out: ", join(small, ", "))};
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

Rows from_old_to_new(const SplitKeys& keys) {
  Rows rows = all_rows(keys);
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return keys.times[static_cast<std::size_t>(a)] < keys.times[static_cast<std::size_t>(b)];
  });
  return rows;
}

/// Classes of held-out rows that the fold's training rows do not know, which its model cannot learn; "" where it knows
/// all.
std::string unseen_classes(const SplitKeys& keys, const Fold& fold) {
  std::set<std::int64_t> seen;
  for (const std::int64_t row : fold.train) seen.insert(keys.strata[static_cast<std::size_t>(row)]);
  std::set<std::string> unseen;
  for (const std::int64_t row : fold.held_out) {
    const std::int64_t stratum = keys.strata[static_cast<std::size_t>(row)];
    if (!seen.contains(stratum)) unseen.insert(in_quotes(keys.names[static_cast<std::size_t>(stratum)]));
  }
  if (unseen.empty()) return "";
  return concat("fold ", fold.fold + 1,
                " holds out rows of classes that no row before them has: ", join({unseen.begin(), unseen.end()}, ", "));
}

FoldSet folds_by_time(const SplitKeys& keys, const FoldPlan& plan) {
  check_time_plan(keys, plan);
  const Rows order = from_old_to_new(keys);
  const std::int64_t block = keys.rows() / (plan.folds + 1);
  FoldSet set;
  for (std::int64_t k = 0; k < plan.folds; ++k) {
    const auto begin = order.begin() + (keys.rows() - (plan.folds - k) * block);
    Fold& fold = set.folds.emplace_back(Fold{0, k, Rows(order.begin(), begin), Rows(begin, begin + block)});
    std::sort(fold.train.begin(), fold.train.end());
    std::sort(fold.held_out.begin(), fold.held_out.end());
    if (std::string warning = unseen_classes(keys, fold); !warning.empty()) set.warnings.push_back(std::move(warning));
  }
  return set;
}

}  // namespace

FoldSet make_folds(const SplitKeys& keys, const FoldPlan& plan) {
  check_plan(keys, plan);
  if (plan.by_time) return folds_by_time(keys, plan);
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
  const SplitMethod method = plan.by_time    ? SplitMethod::time
                             : plan.stratify ? SplitMethod::stratified
                                             : SplitMethod::random;
  return hold_out(keys, fold.train, {share, method}, key);
}

}  // namespace attune::data
