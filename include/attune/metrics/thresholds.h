// What becomes of precision and recall when a row is called positive from another probability than one half on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune::metrics {

/// Rows whose score is at least `threshold` are called positive.
struct ThresholdPoint {
  double threshold = 0;
  double precision = 0;
  double recall = 0;
  double flagged = 0;  ///< (weighted) rows called positive

  double f1() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0.0; }
};

/// One point a distinct score, by rising threshold: sklearn.metrics.precision_recall_curve without its closing point.
/// `weights` [rows], or empty for 1 each. Empty when no row is positive.
std::vector<ThresholdPoint> threshold_curve(std::span<const std::uint8_t> positive, std::span<const double> scores,
                                            std::span<const double> weights = {});

/// At most `most` (>= 4) of the points, evenly by place; the ends, the best F1 and the first from one half on are among
/// them.
std::vector<ThresholdPoint> thinned(const std::vector<ThresholdPoint>& curve, std::size_t most);

}  // namespace attune::metrics
