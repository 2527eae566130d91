// Counts with the thing that they count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace attune {

/// counted(1, "row") == "1 row", counted(2, "row") == "2 rows".
inline std::string counted(std::int64_t count, std::string_view thing) {
  return std::to_string(count).append(" ").append(thing).append(count == 1 ? "" : "s");
}

}  // namespace attune
