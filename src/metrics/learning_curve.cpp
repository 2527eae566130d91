// See learning_curve.h.
#include "attune/metrics/learning_curve.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "resampling.h"

namespace attune::metrics {
namespace {

constexpr double kLeastExponent = 0.01, kLargestExponent = 3;
constexpr std::size_t kSizesNeeded = 3;

/// The scores at one number of labels. How they scatter about their mean is the same for every curve.
struct SizeScore {
  double labels;
  double weight;
  double mean;
};

std::vector<SizeScore> scores_by_size(std::span<const LearningPoint> points) {
  std::map<double, std::pair<double, double>> sums;  // weight, weight · score
  for (const LearningPoint& point : points) {
    if (!(point.labels >= 1 && std::isfinite(point.labels)) || !(point.weight >= 0)) {
      internal_error("a learning curve needs points with labels and without negative weights");
    }
    if (point.weight == 0) continue;
    auto& [weight, score] = sums[point.labels];
    weight += point.weight;
    score += point.weight * point.score;
  }
  std::vector<SizeScore> sizes;
  for (const auto& [labels, sum] : sums) sizes.push_back({labels, sum.first, sum.second / sum.first});
  return sizes;
}

struct CurveFit {
  PowerLaw law;
  double error;  ///< weighted squared error of the means
};

/// The best curve of one exponent: a line through (n^-exponent, score), its height at 0 moved into the bounds.
CurveFit fit_exponent(std::span<const SizeScore> sizes, Bounds bounds, double exponent) {
  const double smallest = sizes.front().labels;  // in units of which powers are at most 1
  std::vector<double> x;
  double weight = 0, mean_x = 0, mean_y = 0;
  for (const SizeScore& size : sizes) {
    x.push_back(std::pow(size.labels / smallest, -exponent));
    weight += size.weight;
    mean_x += size.weight * x.back();
    mean_y += size.weight * size.mean;
  }
  mean_x /= weight;
  mean_y /= weight;
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += sizes[i].weight * (x[i] - mean_x) * (x[i] - mean_x);
    xy += sizes[i].weight * (x[i] - mean_x) * (sizes[i].mean - mean_y);
  }
  double gap = -xy / xx, asymptote = mean_y + gap * mean_x;
  if (asymptote < bounds.low || asymptote > bounds.high) {
    asymptote = std::clamp(asymptote, bounds.low, bounds.high);
    double square = 0, product = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      square += sizes[i].weight * x[i] * x[i];
      product += sizes[i].weight * x[i] * (asymptote - sizes[i].mean);
    }
    gap = product / square;
  }
  double error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double residual = asymptote - gap * x[i] - sizes[i].mean;
    error += sizes[i].weight * residual * residual;
  }
  return {{asymptote, gap * std::pow(smallest, exponent), exponent}, error};
}

/// Where `error` is smallest between two points that hold one minimum.
template <class Objective>
double golden_section(Objective error, double low, double high) {
  constexpr double kShort = 2 - std::numbers::phi;
  double left = low + kShort * (high - low), right = high - kShort * (high - low);
  double at_left = error(left), at_right = error(right);
  for (int i = 0; i < 60; ++i) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = low + kShort * (high - low);
      at_left = error(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = high - kShort * (high - low);
      at_right = error(right);
    }
  }
  return at_left <= at_right ? left : right;
}

/// The best of the grid's exponents (by equal steps of their logarithm) and of those between its neighbours.
PowerLaw fit_sizes(std::span<const SizeScore> sizes, Bounds bounds) {
  if (sizes.size() < kSizesNeeded) return {};
  constexpr int kSteps = 64;
  const double first = std::log(kLeastExponent), step = (std::log(kLargestExponent) - first) / kSteps;
  const auto fit = [&](double logarithm) { return fit_exponent(sizes, bounds, std::exp(logarithm)); };
  CurveFit best = fit(first);
  int best_step = 0;
  for (int i = 1; i <= kSteps; ++i) {
    const CurveFit candidate = fit(first + i * step);
    if (candidate.error < best.error) {
      best = candidate;
      best_step = i;
    }
  }
  const double low = first + std::max(best_step - 1, 0) * step, high = first + std::min(best_step + 1, kSteps) * step;
  const CurveFit between = fit(golden_section([&](double logarithm) { return fit(logarithm).error; }, low, high));
  return between.error < best.error ? between.law : best.law;
}

/// The points of the seeds that were drawn, each with its weight times the draws of its seed.
std::vector<LearningPoint> draw_points(std::span<const LearningPoint> points, const std::set<std::int64_t>& seeds,
                                       RandomKey key) {
  const std::vector<double> counts = draw_counts(seeds.size(), key);
  std::vector<LearningPoint> drawn(points.begin(), points.end());
  for (LearningPoint& point : drawn) {
    const auto place = static_cast<std::size_t>(std::distance(seeds.begin(), seeds.find(point.seed)));
    point.weight *= counts[place];
  }
  return drawn;
}

/// 0 also of what is rounding only: curves that lie on one another do not cross.
int sign_of(double value) {
  constexpr double kLeastDifference = 1e-12;  // of scores
  return value > kLeastDifference ? 1 : value < -kLeastDifference ? -1 : 0;
}

/// The smallest n in the range at which `difference` leaves the sign that it had; NaN where it keeps it. Looked for in
/// equal steps of the logarithm, then by halving.
template <class Difference>
double first_sign_change(Difference difference, Interval range) {
  constexpr int kSteps = 200;
  const double step = std::log(range.high / range.low) / kSteps;
  int sign = 0;
  double last = range.low;
  for (int i = 0; i <= kSteps; ++i) {
    double n = i == kSteps ? range.high : range.low * std::exp(i * step);
    const int here = sign_of(difference(n));
    if (here == 0) continue;
    if (here == sign || sign == 0) {
      sign = here;
      last = n;
      continue;
    }
    for (int halving = 0; halving < 60; ++halving) {
      const double middle = std::sqrt(last * n);
      (sign_of(difference(middle)) == sign ? last : n) = middle;
    }
    return n;
  }
  return kNaN;
}

}  // namespace

double PowerLaw::at(double labels) const {
  return asymptote - gap * std::pow(labels, -exponent);
}

PowerLaw fit_power_law(std::span<const LearningPoint> points, Bounds bounds) {
  const std::vector<SizeScore> sizes = scores_by_size(points);
  if (sizes.size() < kSizesNeeded) {
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = concat("a learning curve needs scores at ", kSizesNeeded,
                                                  " numbers of labels or more, found ", sizes.size()),
                                   .where = "",
                                   .hint = "add sizes"});
  }
  return fit_sizes(sizes, bounds);
}

LearningCurve LearningCurve::fitted(std::span<const LearningPoint> points, const LearningCurveOptions& options) {
  LearningCurve curve(options);
  curve.law_ = fit_power_law(points, options.bounds);
  std::set<std::int64_t> seeds;
  for (const LearningPoint& point : points) seeds.insert(point.seed);
  if (seeds.size() < 2) return curve;
  for (std::int64_t b = 0; b < options.resamples; ++b) {
    const auto drawn = draw_points(points, seeds, options.key.with(static_cast<std::uint64_t>(b)));
    curve.resampled_.push_back(fit_sizes(scores_by_size(drawn), options.bounds));
  }
  return curve;
}

LearningCurve LearningCurve::constant(std::span<const double> scores, const LearningCurveOptions& options) {
  if (scores.empty()) internal_error("a constant learning curve needs a score");
  const auto flat = [](double score) { return PowerLaw{score, 0, 1}; };
  LearningCurve curve(options);
  curve.law_ = flat(mean_and_sd(scores).mean);
  if (scores.size() < 2) return curve;
  for (std::int64_t b = 0; b < options.resamples; ++b) {
    const std::vector<double> counts = draw_counts(scores.size(), options.key.with(static_cast<std::uint64_t>(b)));
    double sum = 0;
    for (std::size_t seed = 0; seed < scores.size(); ++seed) sum += counts[seed] * scores[seed];
    curve.resampled_.push_back(flat(sum / static_cast<double>(scores.size())));
  }
  return curve;
}

double LearningCurve::value(const PowerLaw& law, double labels) const {
  return std::clamp(law.at(labels), bounds_.low, bounds_.high);
}

const PowerLaw& LearningCurve::law_of(std::size_t resample) const {
  return resampled_.empty() ? law_ : resampled_[resample];
}

template <class Of>
Estimate LearningCurve::estimate(Of value_of_law) const {
  std::vector<double> values;
  for (const PowerLaw& law : resampled_) values.push_back(value_of_law(law));
  return {value_of_law(law_), percentile_interval(std::move(values), level_)};
}

Estimate LearningCurve::at(double labels) const {
  return estimate([&](const PowerLaw& law) { return value(law, labels); });
}

Estimate LearningCurve::gain(double labels, double more) const {
  return estimate([&](const PowerLaw& law) { return value(law, labels + more) - value(law, labels); });
}

Crossing crossing(const LearningCurve& first, const LearningCurve& second, Interval range) {
  const std::size_t resamples = std::max(first.resampled_.size(), second.resampled_.size());
  for (const LearningCurve* curve : {&first, &second}) {
    if (!curve->resampled_.empty() && curve->resampled_.size() != resamples) {
      internal_error("crossing: the curves have unequal numbers of resamples");
    }
  }
  if (!(range.low >= 1 && range.high >= range.low)) internal_error("crossing: a range of numbers of labels is needed");
  const auto labels_of = [&](const PowerLaw& of_first, const PowerLaw& of_second) {
    return first_sign_change([&](double n) { return first.value(of_first, n) - second.value(of_second, n); }, range);
  };
  std::vector<double> values;
  for (std::size_t b = 0; b < resamples; ++b) values.push_back(labels_of(first.law_of(b), second.law_of(b)));
  const auto crossed = static_cast<double>(std::ranges::count_if(values, [](double n) { return std::isfinite(n); }));
  return {{labels_of(first.law_, second.law_), percentile_interval(values, first.level_)},
          resamples == 0 ? kNaN : crossed / static_cast<double>(resamples)};
}

}  // namespace attune::metrics
