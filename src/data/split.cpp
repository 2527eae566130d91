// See split.h: keys, holdouts, fingerprints. Folds are in folds.cpp.
#include "attune/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/labels.h"
#include "attune/data/record.h"
#include "attune/data/time_value.h"
#include "attune/files/storage.h"
#include "group_split.h"

namespace attune::data {

namespace {

void add_time(const Example& example, std::optional<bool>& dates, SplitKeys& keys) {
  TimeValue time;
  if (!parse_time(*example.time, time))
    throw BadRow(example.origin, "the time " + in_quotes(*example.time) + " cannot be read");
  if (dates && *dates != time.is_date) {
    throw BadRow(example.origin,
                 concat("the time ", in_quotes(*example.time), " is ", time.is_date ? "a date" : "a number",
                        ", rows before it have ", *dates ? "dates" : "numbers"));
  }
  dates = time.is_date;
  keys.times.push_back(time.value);
}

std::int64_t rows_to_hold_out(double size, std::int64_t rows) {
  const double wanted = size < 1 ? std::round(size * static_cast<double>(rows)) : size;
  const auto count = static_cast<std::int64_t>(std::max(1.0, wanted));
  if (size <= 0 || count >= rows) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = concat("of ", counted(rows, "row"), " ", count, " cannot be held out"),
                                  .where = "",
                                  .hint = "hold out less, or give more rows"});
  }
  return count;
}

using Marks = std::vector<bool>;  ///< by position in the list of rows: is held out

Marks mark_random(const Rows& rows, std::int64_t count, const RandomKey& key) {
  Marks marks(rows.size());
  const auto order = key.permutation(static_cast<std::int64_t>(rows.size()));
  for (std::int64_t i = 0; i < count; ++i) marks[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
  return marks;
}

struct Stratum {
  std::vector<std::size_t> members;  ///< positions in the list of rows, shuffled
  std::size_t held_out = 0;
  double remainder = 0;
  std::uint64_t tie = 0;
};

std::map<std::int64_t, Stratum> collect_strata(const SplitKeys& keys, const Rows& rows, const RandomKey& key) {
  std::map<std::int64_t, Stratum> strata;
  for (const std::int64_t i : key.permutation(static_cast<std::int64_t>(rows.size()))) {
    const auto position = static_cast<std::size_t>(i);
    strata[keys.strata[static_cast<std::size_t>(rows[position])]].members.push_back(position);
  }
  return strata;
}

/// Shares `count` among the strata by largest remainders; a stratum gives its last row only when nothing else is left.
void apportion(std::map<std::int64_t, Stratum>& strata, std::int64_t count, double rows, const RandomKey& key) {
  std::vector<Stratum*> order;
  std::int64_t left = count;
  for (auto& [number, stratum] : strata) {
    const double exact = static_cast<double>(stratum.members.size()) * static_cast<double>(count) / rows;
    stratum.held_out = static_cast<std::size_t>(exact);
    stratum.remainder = exact - std::floor(exact);
    stratum.tie = key.bits(static_cast<std::uint64_t>(number));
    left -= static_cast<std::int64_t>(stratum.held_out);
    order.push_back(&stratum);
  }
  std::sort(order.begin(), order.end(), [](const Stratum* a, const Stratum* b) {
    return a->remainder != b->remainder ? a->remainder > b->remainder : a->tie < b->tie;
  });
  for (const std::size_t kept : {std::size_t{1}, std::size_t{0}}) {
    for (Stratum* stratum : order) {
      if (left == 0) return;
      const bool rounded_up = stratum->remainder < 0;
      if (rounded_up || stratum->held_out + kept >= stratum->members.size()) continue;
      ++stratum->held_out;
      stratum->remainder = -1;
      --left;
    }
  }
}

Marks mark_stratified(const SplitKeys& keys, const Rows& rows, std::int64_t count, const RandomKey& key) {
  auto strata = collect_strata(keys, rows, key);
  apportion(strata, count, static_cast<double>(rows.size()), key);
  Marks marks(rows.size());
  for (const auto& [number, stratum] : strata) {
    for (std::size_t i = 0; i < stratum.held_out; ++i) marks[stratum.members[i]] = true;
  }
  return marks;
}

Marks mark_groups(const SplitKeys& keys, const Rows& rows, std::int64_t count, bool stratify, const RandomKey& key) {
  if (count_groups(keys, rows) < 2) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = "all rows are of one group, none can be held out",
                                  .where = "",
                                  .hint = "check data.columns.group"});
  }
  const double share = static_cast<double>(count) / static_cast<double>(rows.size());
  const auto bins = deal_groups(keys, rows, {share, 1 - share}, stratify, key);
  Marks marks(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) marks[i] = bins[i] == 0;
  return marks;
}

/// Without groups every row is its own. Whole groups from the newest last row on, until `count` rows are held out or
/// nearly so.
Marks mark_newest(const SplitKeys& keys, const Rows& rows, std::int64_t count) {
  std::map<std::int64_t, std::vector<std::size_t>> units;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    units[keys.groups.empty() ? rows[i] : keys.groups[static_cast<std::size_t>(rows[i])]].push_back(i);
  }
  std::vector<std::pair<std::pair<double, std::int64_t>, const std::vector<std::size_t>*>> order;
  for (const auto& [number, members] : units) {
    std::pair<double, std::int64_t> newest{-INFINITY, -1};
    for (const std::size_t i : members)
      newest = std::max(newest, {keys.times[static_cast<std::size_t>(rows[i])], rows[i]});
    order.emplace_back(newest, &members);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Marks marks(rows.size());
  std::int64_t held_out = 0;
  for (std::size_t u = 0; u + 1 < order.size(); ++u) {
    const auto size = static_cast<std::int64_t>(order[u].second->size());
    if (held_out > 0 && 2 * (count - held_out) < size) break;
    for (const std::size_t i : *order[u].second) marks[i] = true;
    held_out += size;
    if (held_out >= count) break;
  }
  return marks;
}

void check_method(const SplitKeys& keys, SplitMethod method) {
  const bool lacks_groups = method == SplitMethod::group && keys.groups.empty();
  const bool lacks_times = method == SplitMethod::time && keys.times.empty();
  if (!lacks_groups && !lacks_times) return;
  const std::string name = lacks_groups ? "group" : "time";
  throw Error(ErrorKind::usage, {.file = "",
                                 .what = concat("rows cannot be divided by ", name, ": no column is named for it"),
                                 .where = "data.split",
                                 .hint = concat("set data.columns.", name)});
}

Marks mark(const SplitKeys& keys, const Rows& rows, const HoldoutPlan& plan, const RandomKey& key) {
  const std::int64_t count = rows_to_hold_out(plan.size, static_cast<std::int64_t>(rows.size()));
  const bool stratify = plan.method == SplitMethod::stratified;
  if (plan.method == SplitMethod::time) return mark_newest(keys, rows, count);
  if (!keys.groups.empty()) return mark_groups(keys, rows, count, stratify, key);
  return stratify ? mark_stratified(keys, rows, count, key) : mark_random(rows, count, key);
}

}  // namespace

std::string stratum_name(const Target& target) {
  if (const auto* label = std::get_if<ClassLabel>(&target)) return label->name;
  const auto* set = std::get_if<LabelSet>(&target);
  if (set == nullptr) return "";
  std::vector<std::string> names = set->names;
  std::sort(names.begin(), names.end());
  return join(names, " | ");
}

SplitKeys split_keys(std::span<const Example> examples) {
  SplitKeys keys;
  std::map<std::string, std::int64_t> strata;
  std::map<std::string, std::int64_t> groups;
  std::optional<bool> dates;
  for (const Example& example : examples) strata.emplace(stratum_name(example.target), 0);
  for (auto& [name, number] : strata) {
    number = static_cast<std::int64_t>(keys.names.size());
    keys.names.push_back(name);
  }
  for (const Example& example : examples) {
    keys.strata.push_back(strata.at(stratum_name(example.target)));
    if (!example.group.empty()) {
      keys.groups.push_back(groups.emplace(example.group, static_cast<std::int64_t>(groups.size())).first->second);
    }
    if (!example.time.empty()) add_time(example, dates, keys);
  }
  const auto partly = [&](std::size_t size) { return size != 0 && size != examples.size(); };
  if (partly(keys.groups.size()) || partly(keys.times.size())) internal_error("rows with and without a group or time");
  return keys;
}

SplitMethod split_method(const std::string& option) {
  if (option == "random") return SplitMethod::random;
  if (option == "stratified") return SplitMethod::stratified;
  if (option == "group") return SplitMethod::group;
  if (option == "time") return SplitMethod::time;
  internal_error("unknown split method " + option);
}

Holdout hold_out(const SplitKeys& keys, const Rows& rows, const HoldoutPlan& plan, const RandomKey& key) {
  check_method(keys, plan.method);
  const Marks held_out = mark(keys, rows, plan, key);
  Holdout parts;
  for (std::size_t i = 0; i < rows.size(); ++i) (held_out[i] ? parts.held_out : parts.kept).push_back(rows[i]);
  return parts;
}

Splits make_splits(const SplitKeys& keys, const DataOptions& options, std::uint64_t seed) {
  const SplitMethod method = split_method(options.split);
  const double rows = static_cast<double>(keys.rows());
  const auto as_count = [&](double size) { return size < 1 ? std::max(1.0, std::round(size * rows)) : size; };
  Splits splits;
  splits.train.resize(static_cast<std::size_t>(keys.rows()));
  std::iota(splits.train.begin(), splits.train.end(), 0);
  const auto take = [&](double size, const char* name, Rows& part) {
    if (size <= 0) return;
    Holdout parts = hold_out(keys, splits.train, {as_count(size), method}, RandomKey(seed, concat("split/", name)));
    splits.train = std::move(parts.kept);
    part = std::move(parts.held_out);
  };
  take(options.test_size, "test", splits.test);
  take(options.val_size, "validation", splits.validation);
  return splits;
}

std::string split_fingerprint(std::span<const Rows> parts) {
  std::string listing;
  for (const Rows& part : parts) {
    for (const std::int64_t row : part) listing += concat(row, " ");
    listing += '\n';
  }
  return files::sha256_hex(listing);
}

}  // namespace attune::data
