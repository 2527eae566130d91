// Fits of learning curves against scipy's, their bands and where they cross.
#include "attune/metrics/learning_curve.h"

#include <cmath>

#include "metrics/goldens.h"
#include "raises.h"

using namespace attune::metrics;

namespace {

constexpr Bounds kShare = {0, 1};
const std::vector<double> kSizes = {16, 32, 64, 128, 256, 512};

/// The law at the sizes for seeds 1 … `seeds`, each moved by its own and the point's own chance.
std::vector<LearningPoint> points_of(const PowerLaw& law, int seeds = 1, double sd = 0, std::uint64_t stream = 1) {
  const attune::RandomKey key(stream, "learning curve test");
  std::vector<LearningPoint> points;
  for (int seed = 1; seed <= seeds; ++seed) {
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
      const double chance = key.with(static_cast<std::uint64_t>(seed)).normal(i);
      points.push_back({.labels = kSizes[i], .score = law.at(kSizes[i]) + sd * chance, .seed = seed});
    }
  }
  return points;
}

double squared_error(const PowerLaw& law, const std::vector<LearningPoint>& points) {
  double error = 0;
  for (const LearningPoint& point : points) error += point.weight * std::pow(law.at(point.labels) - point.score, 2);
  return error;
}

}  // namespace

TEST_CASE("power laws fit as scipy's bounded least squares", "[metrics][golden]") {
  for (const auto& golden : attune::testing::read_goldens("statistics/learning_curve.json")) {
    INFO(golden["name"].get<std::string>());
    std::vector<LearningPoint> points;
    for (const auto& row : golden["points"]) points.push_back({.labels = row[0], .score = row[1], .weight = row[2]});
    Bounds bounds;
    if (!golden["low"].is_null()) bounds.low = golden["low"];
    if (!golden["high"].is_null()) bounds.high = golden["high"];
    const PowerLaw law = fit_power_law(points, bounds);
    CHECK(squared_error(law, points) <= golden["error"].get<double>() * (1 + 1e-9) + 1e-14);
    for (std::size_t i = 0; i < golden["at"].size(); ++i) {
      CHECK(law.at(golden["at"][i]) == Approx(golden["values"][i].get<double>()).margin(2e-5));
    }
    CHECK(law.asymptote >= bounds.low);
    CHECK(law.asymptote <= bounds.high);
  }
}

TEST_CASE("points on a power law give it back", "[metrics]") {
  for (const PowerLaw truth : {PowerLaw{0.9, 2, 0.5}, PowerLaw{0.95, 1.2, 0.15}, PowerLaw{0.25, -3, 1.1}}) {
    const PowerLaw law = fit_power_law(points_of(truth));
    CHECK(law.asymptote == Approx(truth.asymptote).epsilon(1e-4));
    CHECK(law.gap == Approx(truth.gap).epsilon(1e-4));
    CHECK(law.exponent == Approx(truth.exponent).epsilon(1e-4));
    CHECK(law.at(5000) == Approx(truth.at(5000)).epsilon(1e-5));
  }
  const PowerLaw flat = fit_power_law(points_of({0.7, 0, 1}));
  CHECK(flat.at(5000) == Approx(0.7));
}

TEST_CASE("a weight counts as so many points", "[metrics]") {
  std::vector<LearningPoint> weighted = points_of({0.9, 2, 0.5}, 1, 0.05), repeated = weighted;
  weighted[1].weight = 3;
  weighted[4].weight = 0;
  repeated.erase(repeated.begin() + 4);
  repeated.insert(repeated.end(), {weighted[1], weighted[1]});
  for (LearningPoint& point : repeated) point.weight = 1;
  CHECK(fit_power_law(weighted).at(1000) == Approx(fit_power_law(repeated).at(1000)).epsilon(1e-9));
}

TEST_CASE("asymptote and values of a curve stay within the bounds of its metric", "[metrics]") {
  std::vector<LearningPoint> points;
  for (const double doublings : {0, 1, 2, 3}) {
    points.push_back({.labels = 8 * std::exp2(doublings), .score = 0.5 + 0.15 * doublings});
  }
  REQUIRE(fit_power_law(points).asymptote > 1);
  const LearningCurve curve = LearningCurve::fitted(points, {.bounds = kShare});
  CHECK(curve.law().asymptote == 1);
  CHECK(curve.at(1e6).value <= 1);
  CHECK(curve.at(1).value >= 0);
  REQUIRE(curve.law().at(1) < 0);
}

TEST_CASE("the band of a curve covers the truth about as often as it says, and one seed has none", "[metrics]") {
  const PowerLaw truth{0.9, 2, 0.5};
  int covered = 0;
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const auto curve =
        LearningCurve::fitted(points_of(truth, 10, 0.02, trial), {.bounds = kShare, .resamples = 200, .level = 0.9});
    const Interval band = curve.at(128).interval;
    covered += band.low < truth.at(128) && truth.at(128) < band.high;
  }
  CHECK(covered > 75);  // 0.9 of 100 is 90, sd 3; ten seeds make it a little less
  CHECK(covered < 98);
  const LearningCurve single = LearningCurve::fitted(points_of(truth, 1, 0.02));
  CHECK(std::isfinite(single.at(128).value));
  CHECK(std::isnan(single.at(128).interval.low));
}

TEST_CASE("the gain of more labels is that of the law, with an interval of its own", "[metrics]") {
  const PowerLaw truth{0.9, 2, 0.5};
  const LearningCurve curve = LearningCurve::fitted(points_of(truth, 8, 0.005), {.bounds = kShare, .resamples = 300});
  const Estimate gain = curve.gain(512);
  CHECK(gain.value == Approx(truth.at(612) - truth.at(512)).margin(0.002));
  CHECK(gain.interval.low < gain.value);
  CHECK(gain.value < gain.interval.high);
  // Errors of both ends go together: the gain is surer than the ends.
  CHECK(gain.interval.high - gain.interval.low < 0.5 * (curve.at(612).interval.high - curve.at(612).interval.low));
  CHECK(curve.gain(512, 200).value > gain.value);
}

TEST_CASE("curves cross where their laws do, and a prompt is a curve without slope", "[metrics]") {
  const LearningCurveOptions options{.bounds = kShare, .resamples = 200};
  const PowerLaw truth{0.9, 2, 0.5};  // reaches 0.7 at 100 labels
  const auto tuned = LearningCurve::fitted(points_of(truth, 6, 0.01), options);
  const auto prompted = LearningCurve::constant(std::vector<double>{0.68, 0.7, 0.72}, options);
  CHECK(prompted.at(5).value == Approx(0.7));
  CHECK(prompted.at(5).value == prompted.at(5000).value);
  CHECK(prompted.at(5).interval.low < 0.7);
  const Crossing found = crossing(prompted, tuned, {16, 512});
  CHECK(found.labels.value == Approx(100).epsilon(0.1));
  CHECK(found.labels.interval.low < found.labels.value);
  CHECK(found.labels.interval.high > found.labels.value);
  CHECK(found.share == 1);
  CHECK(crossing(tuned, prompted, {16, 512}).labels.value == Approx(found.labels.value));

  const auto exact = LearningCurve::fitted(points_of(truth)), level = LearningCurve::constant(std::vector<double>{0.7});
  CHECK(crossing(level, exact, {16, 512}).labels.value == Approx(100).epsilon(1e-3));
  CHECK(std::isnan(crossing(level, exact, {16, 512}).share));
  CHECK(std::isnan(crossing(level, exact, {16, 99}).labels.value));
  CHECK(std::isnan(crossing(level, exact, {101, 512}).labels.value));
}

TEST_CASE("curves that differ by rounding do not cross", "[metrics]") {
  const auto level = LearningCurve::constant(std::vector<double>{0.7});
  const std::vector<LearningPoint> around = {
      {.labels = 8, .score = 0.7 - 1e-14}, {.labels = 32, .score = 0.7}, {.labels = 128, .score = 0.7 + 1e-14}};
  CHECK(std::isnan(crossing(level, LearningCurve::fitted(around), {8, 128}).labels.value));
}

TEST_CASE("a crossing that only some seeds show says how many", "[metrics]") {
  const LearningCurveOptions options{.bounds = kShare, .resamples = 400};
  const auto tuned = LearningCurve::fitted(points_of({0.9, 2, 0.5}, 6, 0.002), options);  // 0.8116 at 512
  const auto prompted = LearningCurve::constant(std::vector<double>{0.77, 0.85}, options);
  const Crossing found = crossing(prompted, tuned, {16, 512});
  CHECK(found.share == Approx(0.6).margin(0.25));  // means 0.77 and 0.81 cross, 0.85 does not
  CHECK(found.share < 0.85);
  CHECK_RAISES(crossing(prompted, LearningCurve::fitted(points_of({0.9, 2, 0.5}, 2), {.resamples = 3}), {16, 512}),
               internal, "resamples");
  CHECK_RAISES(crossing(prompted, tuned, {0, 512}), internal, "range");
}

TEST_CASE("equal seeds of two curves are drawn together", "[metrics]") {
  // Seeds that raise both curves alike leave the crossing where it is.
  const LearningCurveOptions options{.resamples = 200};
  std::vector<LearningPoint> slow = points_of({0.82, 2.2, 0.5}, 5), fast = points_of({0.8, 2, 0.5}, 5);
  for (std::size_t i = 0; i < slow.size(); ++i) {
    const double shift = 0.05 * static_cast<double>(slow[i].seed);
    slow[i].score += shift;
    fast[i].score += shift;
  }
  const Crossing found =
      crossing(LearningCurve::fitted(slow, options), LearningCurve::fitted(fast, options), {16, 512});
  CHECK(found.share == 1);
  CHECK(found.labels.interval.low == Approx(100).epsilon(1e-3));
  CHECK(found.labels.interval.high == Approx(100).epsilon(1e-3));
}

TEST_CASE("curves need three sizes with labels", "[metrics]") {
  const std::vector<LearningPoint> two = {
      {.labels = 8, .score = 0.5}, {.labels = 8, .score = 0.6}, {.labels = 16, .score = 0.7}};
  CHECK_RAISES(fit_power_law(two), usage, "needs scores at 3 numbers of labels or more, found 2");
  CHECK_RAISES(fit_power_law(std::vector<LearningPoint>{{.labels = 0, .score = 0.5}}), internal, "points with labels");
  CHECK_RAISES(LearningCurve::constant({}), internal, "needs a score");
}
