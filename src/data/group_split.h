// Deals whole groups into bins so that each bin comes near its share of every class.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/base/random.h"
#include "attune/data/split.h"

namespace attune::data {

/// The bin of each of `rows`; bin b aims at the share shares[b] (they sum to 1) of every stratum, or of the rows as a
/// whole when `stratify` is false. Groups are dealt from large to small, those of like size in random order, each into
/// the bin where it lessens Σ (rows - target)² / target over the strata most. Every bin receives a group as long as
/// there are enough of them.
std::vector<std::size_t> deal_groups(const SplitKeys& keys, const Rows& rows, const std::vector<double>& shares,
                                     bool stratify, const RandomKey& key);

/// The number of different groups among the rows.
std::int64_t count_groups(const SplitKeys& keys, const Rows& rows);

}  // namespace attune::data
