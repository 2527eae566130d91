// Parts of the baselines' goldens.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "metrics/goldens.h"

namespace attune::testing {

using Texts = std::vector<std::string>;

/// The largest difference of two lists of equal length.
inline double largest_difference(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(found[i] - expected[i]));
  return largest;
}

}  // namespace attune::testing
