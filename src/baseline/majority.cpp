// See majority.h and class_weights.h.
#include "attune/baseline/majority.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "attune/base/error.h"
#include "class_weights.h"

namespace attune::baseline {

std::vector<double> class_weights(std::span<const std::int64_t> labels, std::size_t classes,
                                  std::span<const double> weights) {
  if (labels.empty() || (!weights.empty() && weights.size() != labels.size())) {
    internal_error("a baseline needs rows, and a weight for each or none");
  }
  std::vector<double> sums(classes);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || static_cast<std::size_t>(labels[row]) >= classes) {
      internal_error("a baseline met a label outside of its classes");
    }
    sums[static_cast<std::size_t>(labels[row])] += weights.empty() ? 1.0 : weights[row];
  }
  return sums;
}

MajorityClass majority_class(std::span<const std::int64_t> labels, std::size_t classes,
                             std::span<const double> weights) {
  std::vector<double> shares = class_weights(labels, classes, weights);
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= total;
  const auto largest = std::ranges::max_element(shares);
  return {largest - shares.begin(), std::move(shares)};
}

}  // namespace attune::baseline
