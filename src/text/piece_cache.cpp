// See piece_cache.h.
#include "piece_cache.h"

#include <cstring>
#include <utility>

namespace attune::text {

namespace {

/// Up to seven bytes as a number, without reading behind them.
std::uint64_t load_tail(const char* p, std::size_t size) {
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])} << 8 * i; };
  if (size == 0) return 0;
  if (size < 4) return byte(0) | byte(size / 2) | byte(size - 1);
  std::uint32_t front = 0, back = 0;
  std::memcpy(&front, p, sizeof front);
  std::memcpy(&back, p + size - sizeof back, sizeof back);
  return front | std::uint64_t{back} << 8 * (size - sizeof back);
}

}  // namespace

PieceCache::Key PieceCache::key_of(std::string_view piece) {
  Key key{};
  const char* p = piece.data();
  std::size_t word = 0, left = piece.size();
  for (; left >= sizeof key[0]; left -= sizeof key[0], p += sizeof key[0]) std::memcpy(&key[word++], p, sizeof key[0]);
  key[word] = load_tail(p, left);
  key.back() |= static_cast<std::uint64_t>(piece.size()) << 56;
  return key;
}

const std::vector<ModelToken>& PieceCache::ask(const Model& model, std::string_view piece) {
  tokens_.clear();
  model.tokenize(piece, tokens_);
  if (piece.size() > kMaxBytes || tokens_.size() > kMaxTokens) return tokens_;
  if (++new_pieces_ > slots_.size() && bits_ < kLastBits) grow();
  const Key key = key_of(piece);
  Slot& slot = slots_[slot_of(key)];
  slot.key = key;
  slot.count = static_cast<std::uint8_t>(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    slot.ids[i] = tokens_[i].id;
    slot.ends[i] = static_cast<std::uint8_t>(tokens_[i].span.end);
  }
  return tokens_;
}

void PieceCache::grow() {
  bits_ += 2;
  new_pieces_ = 0;
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::size_t{1} << bits_));
  for (const Slot& slot : old) {
    if (slot.key.back() != 0) slots_[slot_of(slot.key)] = slot;
  }
}

}  // namespace attune::text
