// The merges of a BPE model and what they make of a word.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace attune::text {

/// A stretch of a word that is one token.
struct Symbol {
  std::int32_t id;
  std::uint32_t length;  ///< bytes
};

class Merges {
 public:
  static constexpr std::size_t kMaxMerges = (std::size_t{1} << 20) - 1;

  /// Adds the next merge in order of rank: `first` and `second` side by side become `merged`, all below 2^22. A pair
  /// that is added again takes its later rank. At most kMaxMerges.
  void add(std::int32_t first, std::int32_t second, std::int32_t merged);
  std::size_t size() const { return merged_.size(); }

  /// Merges while there is a pair, the lowest rank first and of equals the leftmost, as the reference does.
  /// `tokens_add_up`: the text of a merged token is that of its parts, one behind the other; then short words take a
  /// short cut. n log n for n symbols.
  void apply(std::vector<Symbol>& word, bool tokens_add_up) const;

 private:
  static constexpr std::uint32_t kNone = kMaxMerges;  ///< no rank
  static constexpr int kRankBits = 20, kIdBits = 22;
  /// A pair in the upper bits, its rank in the lower ones.
  using Slot = std::uint64_t;
  static constexpr Slot kFree = ~Slot{0};

  static Slot pair_of(std::int32_t first, std::int32_t second) {
    return (static_cast<Slot>(first) << kIdBits | static_cast<Slot>(second)) << kRankBits;
  }
  static std::uint32_t rank_of(Slot slot) { return static_cast<std::uint32_t>(slot & kMaxMerges); }
  static bool holds(Slot slot, Slot pair) { return (slot ^ pair) >> kRankBits == 0; }
  std::size_t begin_of(Slot pair) const {
    return static_cast<std::size_t>((pair ^ pair >> 29) * 0x9e3779b97f4a7c15u >> shift_);
  }

  std::uint32_t rank(std::int32_t first, std::int32_t second) const {
    const Slot pair = pair_of(first, second);
    for (std::size_t i = begin_of(pair);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] == kFree) return kNone;
      if (holds(slots_[i], pair)) return rank_of(slots_[i]);
    }
  }
  void put(Slot pair_and_rank);
  void grow();
  void apply_to_short(std::vector<Symbol>& word) const;
  void apply_to_long(std::vector<Symbol>& word) const;

  std::vector<Slot> slots_;           ///< open addressing, a power of two, at most half full
  std::vector<std::int32_t> merged_;  ///< by rank
  int shift_ = 64;                    ///< 64 - log2(slots_.size())
};

}  // namespace attune::text
