// The largest numbers that config.json may hold: far above every published model, far below what would overflow or
// exhaust memory by itself.
#pragma once

#include <cstdint>

namespace attune::models {

constexpr std::int64_t kMaxVocabulary = 1 << 24;
constexpr std::int64_t kMaxWidth = 1 << 17;
constexpr std::int64_t kMaxLayers = 1000;
constexpr std::int64_t kMaxPositions = 1 << 24;
constexpr std::int64_t kMaxLabels = 1 << 20;

}  // namespace attune::models
