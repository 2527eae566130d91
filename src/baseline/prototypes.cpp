// See prototypes.h.
#include "attune/baseline/prototypes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "attune/base/error.h"
#include "class_weights.h"

namespace attune::baseline {

namespace {

constexpr double kLeastLength = 1e-12;

/// [classes × columns]; 0 for classes without rows.
std::vector<double> class_means(const PrototypeRows& rows, std::span<const double> of_class) {
  std::vector<double> means(of_class.size() * rows.columns);
  for (std::size_t row = 0; row < rows.labels.size(); ++row) {
    const auto label = static_cast<std::size_t>(rows.labels[row]);
    const double share = of_class[label] > 0 ? (rows.weights.empty() ? 1.0 : rows.weights[row]) / of_class[label] : 0.0;
    const auto values = rows.values.subspan(row * rows.columns, rows.columns);
    for (std::size_t i = 0; i < rows.columns; ++i) means[label * rows.columns + i] += share * values[i];
  }
  return means;
}

}  // namespace

LinearLayer prototype_layer(const PrototypeRows& rows, std::size_t classes, PrototypeDistance distance) {
  if (rows.values.size() != rows.labels.size() * rows.columns) internal_error("prototypes need a label for each row");
  const std::vector<double> of_class = class_weights(rows.labels, classes, rows.weights);
  LinearLayer layer{.columns = rows.columns, .weights = class_means(rows, of_class), .biases = {}};
  for (std::size_t label = 0; label < classes; ++label) {
    const auto mean = std::span(layer.weights).subspan(label * rows.columns, rows.columns);
    const double square = std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0);
    const bool is_cosine = distance == PrototypeDistance::cosine;
    const double factor = is_cosine ? 1 / std::max(std::sqrt(square), kLeastLength) : 2;
    for (double& value : mean) value *= factor;
    layer.biases.push_back(of_class[label] == 0 ? kAbsentBias : is_cosine ? 0 : -square);
  }
  return layer;
}

}  // namespace attune::baseline
