// How often each class occurs, which every baseline looks at first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune::baseline {

/// [classes] Weighted numbers of rows. Error{internal} without rows, for labels out of range and sizes that do not fit.
std::vector<double> class_weights(std::span<const std::int64_t> labels, std::size_t classes,
                                  std::span<const double> weights);

}  // namespace attune::baseline
