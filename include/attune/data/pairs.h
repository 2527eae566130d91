// Pairs of rows for contrastive training: two rows of one class, or of two. Which pairs, how many of each kind and in
// which order is that of SetFit's ContrastiveDataset (Tunstall et al. 2022; setfit 1.2.0), its shuffle included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace attune::data {

struct PairSampling {
  std::string strategy = "oversampling";        ///< oversampling, undersampling, unique
  std::optional<std::int64_t> iterations = {};  ///< instead of a strategy: so many pairs of either kind for each row
  std::optional<std::int64_t> at_most = {};  ///< distinct pairs, half of either kind, at least 1 (SetFit's max_pairs)
  std::uint64_t seed = 42;                   ///< of the shuffle; SetFit's is always 42
};

/// Rows by their number.
struct Pair {
  std::uint32_t first = 0, second = 0;
  bool alike = false;  ///< of one class
};

struct PairCounts {
  std::int64_t distinct_alike = 0, distinct_unlike = 0;  ///< there are; a row and itself are alike
  std::int64_t alike = 0, unlike = 0;                    ///< are drawn, the same ones again where there are fewer

  std::int64_t drawn() const { return alike + unlike; }
};

/// `labels` [rows]. Error{data} where all are one, or there are so many rows that their pairs would fill the memory.
PairCounts count_pairs(std::span<const std::int64_t> labels, const PairSampling& sampling);

/// In the order of an epoch before it is shuffled: one alike, one unlike, and so on. Errors as count_pairs().
std::vector<Pair> draw_pairs(std::span<const std::int64_t> labels, const PairSampling& sampling);

/// `order`, numbers of `pairs`, put anew so that pairs of one batch share their rows: every `batch` of them name about
/// `rows` different rows, more where the pairs that are left have fewer in common. A batch begins with the next pairs of `order` that bring rows, up to `rows` of
/// them; then come those between these rows.
std::vector<std::uint32_t> share_rows(std::span<const Pair> pairs, std::span<const std::uint32_t> order,
                                      std::size_t batch, std::size_t rows);

/// numpy.random.RandomState(seed).permutation(count); count < 2^32.
std::vector<std::uint32_t> numpy_permutation(std::uint32_t count, std::uint32_t seed);

}  // namespace attune::data
