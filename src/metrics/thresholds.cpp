// See thresholds.h.
#include "attune/metrics/thresholds.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace attune::metrics {

std::vector<ThresholdPoint> threshold_curve(std::span<const std::uint8_t> positive, std::span<const double> scores,
                                            std::span<const double> weights) {
  const auto weight = [&](std::size_t row) { return weights.empty() ? 1.0 : weights[row]; };
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double all_positives = 0;
  for (std::size_t row = 0; row < scores.size(); ++row) all_positives += positive[row] ? weight(row) : 0.0;
  std::vector<ThresholdPoint> curve;
  if (!(all_positives > 0)) return curve;
  double hits = 0, flagged = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    flagged += weight(order[i]);
    if (positive[order[i]]) hits += weight(order[i]);
    const bool tie_goes_on = i + 1 < order.size() && scores[order[i]] == scores[order[i + 1]];
    if (tie_goes_on || !(flagged > 0)) continue;
    curve.push_back({.threshold = scores[order[i]],
                     .precision = hits / flagged,
                     .recall = hits / all_positives,
                     .flagged = flagged});
  }
  std::reverse(curve.begin(), curve.end());
  return curve;
}

std::vector<ThresholdPoint> thinned(const std::vector<ThresholdPoint>& curve, std::size_t most) {
  if (curve.size() <= most) return curve;
  std::set<std::size_t> places;
  const auto best =
      std::max_element(curve.begin(), curve.end(), [](const auto& a, const auto& b) { return a.f1() < b.f1(); });
  places.insert(static_cast<std::size_t>(best - curve.begin()));
  const auto half = std::find_if(curve.begin(), curve.end(), [](const auto& point) { return point.threshold >= 0.5; });
  if (half != curve.end()) places.insert(static_cast<std::size_t>(half - curve.begin()));
  for (std::size_t i = 0; i + 2 < most; ++i) places.insert(i * (curve.size() - 1) / (most - 3));
  std::vector<ThresholdPoint> kept;
  for (const std::size_t place : places) kept.push_back(curve[place]);
  return kept;
}

}  // namespace attune::metrics
