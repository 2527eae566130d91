// See group_split.h.
#include "group_split.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

namespace attune::data {

namespace {

struct Group {
  std::vector<std::size_t> members;             ///< positions in the list of rows
  std::map<std::int64_t, std::int64_t> strata;  ///< stratum → rows
};

std::vector<Group> collect_groups(const SplitKeys& keys, const Rows& rows, bool stratify) {
  std::map<std::int64_t, Group> by_number;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(rows[i]);
    Group& group = by_number[keys.groups[row]];
    group.members.push_back(i);
    ++group.strata[stratify ? keys.strata[row] : 0];
  }
  std::vector<Group> groups;
  for (auto& [number, group] : by_number) groups.push_back(std::move(group));
  return groups;
}

/// Large groups first, because small ones even out what they leave; random among sizes of the same power of two,
/// because an order by exact size would give every repeat the same folds.
std::vector<Group> in_dealing_order(const std::vector<Group>& groups, const RandomKey& key) {
  std::vector<Group> ordered;
  for (const std::int64_t i : key.permutation(static_cast<std::int64_t>(groups.size()))) {
    ordered.push_back(groups[static_cast<std::size_t>(i)]);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Group& a, const Group& b) {
    return std::bit_width(a.members.size()) > std::bit_width(b.members.size());
  });
  return ordered;
}

struct Bin {
  double share = 0;
  std::int64_t groups = 0;
  std::map<std::int64_t, std::int64_t> strata;
};

/// By how much the group changes the bin's Σ (rows - target)² / target.
double change(const Bin& bin, const Group& group, const std::map<std::int64_t, std::int64_t>& totals) {
  double sum = 0;
  for (const auto& [stratum, added] : group.strata) {
    const double target = bin.share * static_cast<double>(totals.at(stratum));
    const auto found = bin.strata.find(stratum);
    const double before = (found == bin.strata.end() ? 0.0 : static_cast<double>(found->second)) - target;
    const double after = before + static_cast<double>(added);
    sum += (after * after - before * before) / target;
  }
  return sum;
}

std::size_t best_bin(const std::vector<Bin>& bins, const Group& group,
                     const std::map<std::int64_t, std::int64_t>& totals, bool only_empty) {
  std::size_t best = bins.size();
  double best_change = 0;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    if (only_empty && bins[b].groups > 0) continue;
    const double its_change = change(bins[b], group, totals);
    if (best == bins.size() || its_change < best_change) {
      best = b;
      best_change = its_change;
    }
  }
  return best;
}

}  // namespace

std::vector<std::size_t> deal_groups(const SplitKeys& keys, const Rows& rows, const std::vector<double>& shares,
                                     bool stratify, const RandomKey& key) {
  const std::vector<Group> groups = in_dealing_order(collect_groups(keys, rows, stratify), key);
  std::map<std::int64_t, std::int64_t> totals;
  for (const Group& group : groups) {
    for (const auto& [stratum, count] : group.strata) totals[stratum] += count;
  }
  std::vector<Bin> bins;
  for (const double share : shares) bins.push_back({share, 0, {}});

  std::vector<std::size_t> bin_of(rows.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto empty = static_cast<std::size_t>(
        std::count_if(bins.begin(), bins.end(), [](const Bin& bin) { return bin.groups == 0; }));
    const bool only_empty = empty > 0 && groups.size() - g <= empty;
    const std::size_t b = best_bin(bins, groups[g], totals, only_empty);
    ++bins[b].groups;
    for (const auto& [stratum, count] : groups[g].strata) bins[b].strata[stratum] += count;
    for (const std::size_t member : groups[g].members) bin_of[member] = b;
  }
  return bin_of;
}

std::int64_t count_groups(const SplitKeys& keys, const Rows& rows) {
  std::set<std::int64_t> groups;
  for (const std::int64_t row : rows) groups.insert(keys.groups[static_cast<std::size_t>(row)]);
  return static_cast<std::int64_t>(groups.size());
}

}  // namespace attune::data
