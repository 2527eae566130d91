// Rows of many columns of which few are not 0 (compressed sparse rows).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace attune::baseline {

struct SparseRows {
  std::size_t columns = 0;
  std::vector<std::size_t> begins = {0};  ///< [rows + 1] where the entries of a row begin
  std::vector<std::uint32_t> column;      ///< [entries] rising within a row
  std::vector<double> value;              ///< [entries]

  std::size_t rows() const { return begins.size() - 1; }
};

}  // namespace attune::baseline
