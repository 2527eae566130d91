// See merges.h.
#include "merges.h"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <utility>

namespace attune::text {

namespace {

constexpr int kFirstBits = 10;
constexpr std::size_t kShort = 32;  ///< symbols up to which looking at all pairs beats a queue

}  // namespace

void Merges::put(Slot pair_and_rank) {
  std::size_t i = begin_of(pair_and_rank >> kRankBits << kRankBits);
  while (slots_[i] != kFree && !holds(slots_[i], pair_and_rank)) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = pair_and_rank;
}

void Merges::grow() {
  shift_ = slots_.empty() ? 64 - kFirstBits : shift_ - 1;
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::size_t{1} << (64 - shift_), kFree));
  for (const Slot slot : old) {
    if (slot != kFree) put(slot);
  }
}

void Merges::add(std::int32_t first, std::int32_t second, std::int32_t merged) {
  if (merged_.size() * 2 >= slots_.size()) grow();
  put(pair_of(first, second) | merged_.size());
  merged_.push_back(merged);
}

void Merges::apply(std::vector<Symbol>& word, bool tokens_add_up) const {
  if (merged_.empty() || word.size() < 2) return;
  if (tokens_add_up && word.size() <= kShort) {
    apply_to_short(word);
  } else {
    apply_to_long(word);
  }
}

void Merges::apply_to_short(std::vector<Symbol>& word) const {
  std::array<std::uint32_t, kShort> ranks;  // of each symbol with the next
  std::size_t pairs = word.size() - 1;
  for (std::size_t i = 0; i < pairs; ++i) ranks[i] = rank(word[i].id, word[i + 1].id);
  while (pairs > 0) {
    const auto best = static_cast<std::size_t>(std::min_element(ranks.begin(), ranks.begin() + pairs) - ranks.begin());
    if (ranks[best] == kNone) break;
    word[best] = {merged_[ranks[best]], word[best].length + word[best + 1].length};
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(ranks.begin() + best + 1, ranks.begin() + pairs, ranks.begin() + best);
    --pairs;
    if (best < pairs) ranks[best] = rank(word[best].id, word[best + 1].id);
    if (best > 0) ranks[best - 1] = rank(word[best - 1].id, word[best].id);
  }
}

void Merges::apply_to_long(std::vector<Symbol>& word) const {
  constexpr std::uint32_t kEnd = UINT32_MAX;
  struct Link {
    std::uint32_t previous, next;
  };
  const auto size = static_cast<std::uint32_t>(word.size());
  std::vector<Link> links(size);
  // Rank and position in one number: the smallest is the next to merge. Entries that later merges made stale stay in
  // the queue; they show by what their pair would become.
  std::vector<std::uint64_t> entries;
  entries.reserve(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    links[i] = {i == 0 ? kEnd : i - 1, i + 1 == size ? kEnd : i + 1};
    if (i + 1 == size) break;
    const std::uint32_t found = rank(word[i].id, word[i + 1].id);
    if (found != kNone) entries.push_back(std::uint64_t{found} << 32 | i);
  }
  std::priority_queue queue(std::greater<>{}, std::move(entries));
  const auto push = [&](std::uint32_t left, std::uint32_t right) {
    const std::uint32_t found = rank(word[left].id, word[right].id);
    if (found != kNone) queue.push(std::uint64_t{found} << 32 | left);
  };
  while (!queue.empty()) {
    const std::uint64_t top = queue.top();
    queue.pop();
    const auto at = static_cast<std::uint32_t>(top);
    const std::int32_t merged = merged_[top >> 32];
    const std::uint32_t right = links[at].next;
    if (word[at].length == 0 || right == kEnd) continue;
    const std::uint32_t now = rank(word[at].id, word[right].id);
    if (now == kNone || merged_[now] != merged) continue;
    word[at] = {merged, word[at].length + word[right].length};
    word[right].length = 0;  // gone
    links[at].next = links[right].next;
    if (links[at].next != kEnd) links[links[at].next].previous = at;
    if (links[at].previous != kEnd) push(links[at].previous, at);
    if (links[at].next != kEnd) push(at, links[at].next);
  }
  std::erase_if(word, [](const Symbol& symbol) { return symbol.length == 0; });
}

}  // namespace attune::text
