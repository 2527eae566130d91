// The baseline that looks at no text: always the most frequent label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune::baseline {

struct MajorityClass {
  std::int64_t label;          ///< the most frequent one, of equally frequent ones the first
  std::vector<double> shares;  ///< [classes] of the training rows: the probabilities that go with it, for every row
};

/// Of `labels` [rows] in 0 … classes-1, each counted `weights` [rows] times (empty: once); scikit-learn's
/// DummyClassifier(strategy="prior"). Error{internal} without rows, for labels out of range and sizes that do not fit.
MajorityClass majority_class(std::span<const std::int64_t> labels, std::size_t classes,
                             std::span<const double> weights = {});

}  // namespace attune::baseline
