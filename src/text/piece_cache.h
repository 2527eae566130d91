// Remembers the tokens of short pieces. Texts repeat their words, and a model's answer depends on nothing but the
// piece.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model.h"

namespace attune::text {

/// One for each thread. A new piece takes the place of the one in its slot; while there are many new ones, the table
/// grows, up to 4 MB.
class PieceCache {
 public:
  PieceCache() : slots_(std::size_t{1} << kFirstBits) {}

  /// emit(id, begin byte, end byte) for each token that model.tokenize gives. Always for the same model.
  template <typename Emit>
  void tokenize(const Model& model, std::string_view piece, Emit emit) {
    if (piece.size() <= kMaxBytes) {
      const Key key = key_of(piece);
      const Slot& slot = slots_[slot_of(key)];
      if (same(slot.key, key)) {
        std::uint32_t begin = 0;
        for (std::size_t i = 0; i < slot.count; begin = slot.ends[i++]) {
          emit(slot.ids[i], begin, std::uint32_t{slot.ends[i]});
        }
        return;
      }
    }
    for (const ModelToken& token : ask(model, piece)) emit(token.id, token.span.begin, token.span.end);
  }

 private:
  static constexpr std::size_t kWords = 4, kMaxTokens = 5;
  static constexpr std::size_t kMaxBytes = kWords * 8 - 1;
  static constexpr int kFirstBits = 10, kLastBits = 16;

  /// The bytes of a piece and, in the last, their number; so pieces are equal where keys are.
  using Key = std::array<std::uint64_t, kWords>;
  struct alignas(64) Slot {
    Key key{};  ///< all zero = free: no piece is empty
    std::array<std::int32_t, kMaxTokens> ids{};
    std::array<std::uint8_t, kMaxTokens> ends{};  ///< bytes; each token begins where the last ended
    std::uint8_t count = 0;
  };
  static Key key_of(std::string_view piece);
  static bool same(const Key& a, const Key& b) {
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0;
  }
  std::size_t slot_of(const Key& key) const {
    const std::uint64_t mixed = key[0] * 0x9e3779b97f4a7c15u ^ key[1] * 0xc2b2ae3d27d4eb4fu ^
                                key[2] * 0x165667b19e3779f9u ^ key[3] * 0xd6e8feb86659fd93u;
    return static_cast<std::size_t>((mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15u >> (64 - bits_));
  }
  const std::vector<ModelToken>& ask(const Model& model, std::string_view piece);
  void grow();

  int bits_ = kFirstBits;
  std::vector<Slot> slots_;
  std::size_t new_pieces_ = 0;  ///< since the table last grew
  std::vector<ModelToken> tokens_;
};

}  // namespace attune::text
