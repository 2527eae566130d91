// See pairs.h.
#include "attune/data/pairs.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <random>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::data {

namespace {

/// 128 million pairs take half a gigabyte while they are shuffled: 16,383 rows.
constexpr std::int64_t kMostPairs = std::int64_t{1} << 27;

/// Pairs of so many rows, each with itself among them.
std::int64_t pairs_of(std::int64_t rows) {
  return rows * (rows + 1) / 2;
}

/// Of all pairs by their numbers, row by row: (0, 0), (0, 1), …, (1, 1), …
class PairNumbers {
 public:
  explicit PairNumbers(std::int64_t rows) {
    for (std::int64_t row = 0; row < rows; ++row) begins_.push_back(pairs_of(rows) - pairs_of(rows - row));
  }
  std::pair<std::uint32_t, std::uint32_t> operator[](std::int64_t number) const {
    const auto after = std::ranges::upper_bound(begins_, number);
    const auto first = after - begins_.begin() - 1;
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(first + number - *(after - 1))};
  }

 private:
  std::vector<std::int64_t> begins_;  ///< by first row
};

/// The first so many distinct pairs of either kind, in shuffled order.
struct Distinct {
  std::vector<Pair> alike, unlike;
};

Distinct distinct_pairs(std::span<const std::int64_t> labels, const PairSampling& sampling, const PairCounts& counts) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  const PairNumbers pairs(rows);
  const auto alike = static_cast<std::size_t>(std::min(counts.alike, counts.distinct_alike));
  const auto unlike = static_cast<std::size_t>(std::min(counts.unlike, counts.distinct_unlike));
  Distinct found;
  for (const std::uint32_t number :
       numpy_permutation(static_cast<std::uint32_t>(pairs_of(rows)), static_cast<std::uint32_t>(sampling.seed))) {
    const auto [first, second] = pairs[number];
    const bool is_alike = labels[first] == labels[second];
    std::vector<Pair>& kind = is_alike ? found.alike : found.unlike;
    if (kind.size() < (is_alike ? alike : unlike)) kind.push_back({first, second, is_alike});
    if (found.alike.size() == alike && found.unlike.size() == unlike) break;
  }
  return found;
}

}  // namespace

PairCounts count_pairs(std::span<const std::int64_t> labels, const PairSampling& sampling) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  const auto refuse = [](const std::string& what, const char* hint) {
    throw Error(ErrorKind::data, {.file = "", .what = what, .where = "tuning.contrastive", .hint = hint});
  };
  std::map<std::int64_t, std::int64_t> rows_of_class;
  for (const std::int64_t label : labels) ++rows_of_class[label];
  if (rows_of_class.size() < 2) {
    refuse(concat("pairs of rows need two classes, and the ", rows, " training rows have ", rows_of_class.size()),
           "add rows of another class");
  }
  if (pairs_of(rows) > kMostPairs) {
    refuse(concat(rows, " training rows make ", pairs_of(rows), " pairs, and at most ", kMostPairs, " are shuffled"),
           "contrastive tuning is for few rows: train on fewer, or set tuning.method to \"full\"");
  }
  PairCounts counts;
  for (const auto& [label, of_class] : rows_of_class) counts.distinct_alike += pairs_of(of_class);
  counts.distinct_unlike = pairs_of(rows) - counts.distinct_alike;
  if (sampling.at_most) {
    const std::int64_t of_kind = std::max<std::int64_t>(1, *sampling.at_most / 2);
    counts.distinct_alike = std::min(counts.distinct_alike, of_kind);
    counts.distinct_unlike = std::min(counts.distinct_unlike, of_kind);
  }
  counts.alike = counts.distinct_alike;
  counts.unlike = counts.distinct_unlike;
  if (sampling.iterations) {
    counts.alike = counts.unlike = *sampling.iterations * rows;
  } else if (sampling.strategy == "oversampling") {
    counts.alike = counts.unlike = std::max(counts.alike, counts.unlike);
  } else if (sampling.strategy == "undersampling") {
    counts.alike = counts.unlike = std::min(counts.alike, counts.unlike);
  } else if (sampling.strategy != "unique") {
    internal_error("count_pairs: there is no such strategy");
  }
  return counts;
}

std::vector<Pair> draw_pairs(std::span<const std::int64_t> labels, const PairSampling& sampling) {
  const PairCounts counts = count_pairs(labels, sampling);
  const Distinct distinct = distinct_pairs(labels, sampling, counts);
  std::vector<Pair> pairs;
  pairs.reserve(static_cast<std::size_t>(counts.drawn()));
  for (std::int64_t i = 0; i < std::max(counts.alike, counts.unlike); ++i) {
    const auto again = [&](const std::vector<Pair>& kind) { return kind[static_cast<std::size_t>(i) % kind.size()]; };
    if (i < counts.alike) pairs.push_back(again(distinct.alike));
    if (i < counts.unlike) pairs.push_back(again(distinct.unlike));
  }
  return pairs;
}

std::vector<std::uint32_t> numpy_permutation(std::uint32_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  // numpy's random_interval: bits are drawn until they are no larger than the largest number wanted.
  const auto up_to = [&](std::uint32_t largest) {
    const std::uint32_t mask = ~std::uint32_t{0} >> std::countl_zero(largest);
    std::uint32_t value = 0;
    do {
      value = static_cast<std::uint32_t>(engine()) & mask;
    } while (value > largest);
    return value;
  };
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[up_to(static_cast<std::uint32_t>(i))]);
  return order;
}

}  // namespace attune::data
