// From logits to probabilities and choices.
#include "attune/metrics/probabilities.h"

#include <algorithm>
#include <cmath>

namespace attune::metrics {

std::vector<double> softmax_rows(std::span<const float> logits, std::size_t classes) {
  std::vector<double> result(logits.begin(), logits.end());
  for (auto row = result.begin(); row != result.end(); row += static_cast<std::ptrdiff_t>(classes)) {
    const auto end = row + static_cast<std::ptrdiff_t>(classes);
    const double largest = *std::max_element(row, end);
    double sum = 0;
    for (auto it = row; it != end; ++it) sum += * it = std::exp(*it - largest);
    for (auto it = row; it != end; ++it) *it /= sum;
  }
  return result;
}

std::vector<double> sigmoid(std::span<const float> logits) {
  std::vector<double> result;
  result.reserve(logits.size());
  for (const double x : logits) {
    const double decay = std::exp(-std::abs(x));
    result.push_back((x >= 0 ? 1.0 : decay) / (1.0 + decay));
  }
  return result;
}

std::vector<std::int64_t> argmax_rows(std::span<const double> scores, std::size_t classes) {
  std::vector<std::int64_t> result;
  for (std::size_t begin = 0; begin < scores.size(); begin += classes) {
    const auto row = scores.subspan(begin, classes);
    result.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return result;
}

}  // namespace attune::metrics
