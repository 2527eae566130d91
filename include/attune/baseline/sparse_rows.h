// Rows of many columns of which few are not 0 (compressed sparse rows).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune::baseline {

struct SparseRows {
  std::size_t columns = 0;
  std::vector<std::size_t> begins = {0};  ///< [rows + 1] where the entries of a row begin
  std::vector<std::uint32_t> column;      ///< [entries] rising within a row
  std::vector<double> value;              ///< [entries]

  std::size_t rows() const { return begins.size() - 1; }
};

/// Rows of which every entry is kept: `values` [rows × columns], row-major.
inline SparseRows dense_rows(std::span<const double> values, std::size_t columns) {
  SparseRows rows{.columns = columns, .begins = {0}, .column = {}, .value = {values.begin(), values.end()}};
  for (std::size_t end = columns; end <= values.size(); end += columns) {
    for (std::size_t i = 0; i < columns; ++i) rows.column.push_back(static_cast<std::uint32_t>(i));
    rows.begins.push_back(end);
  }
  return rows;
}

}  // namespace attune::baseline
