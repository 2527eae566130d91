// Scores by the number of labels, over a logarithmic axis.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "attune/base/strings.h"
#include "attune/report/table.h"
#include "charts.h"
#include "html_text.h"

namespace attune::report {
namespace {

constexpr double kCurvesWidth = 860, kCurvesHeight = 420, kCurvesLeft = 64, kCurvesRight = 176, kCurvesTop = 34,
                 kCurvesBottom = 50;
constexpr double kNameHeight = 16;  ///< that names at the right keep from each other
constexpr double kDotShift = 5;     ///< by which dots of different curves stand beside each other
constexpr std::size_t kStyles = 6;  ///< colours, and dashes (html_style.cpp)

/// "tone-2 dash-2": the first six differ in both; later ones take another dash to the same colour.
std::string curve_style(std::size_t curve) {
  const std::size_t dash = (curve % kStyles + curve / kStyles) % kStyles;
  return concat("tone-", curve % kStyles + 1, " dash-", dash + 1);
}

struct CurveScales {
  Scale x, y;
  Ticks y_ticks;
  double at(double labels) const { return x(std::log(labels)); }
  Point operator()(const Point& value) const { return {at(value.first), y(value.second)}; }
};

CurveScales scales_of(const ScoreCurves& chart) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const ScoreCurve& curve : chart.curves) {
    for (const auto* points : {&curve.line, &curve.low, &curve.high, &curve.dots}) {
      for (const auto& [labels, score] : *points) {
        low = std::min(low, score);
        high = std::max(high, score);
      }
    }
  }
  const Ticks ticks = round_ticks(low, high, 6);
  return {.x = {std::log(chart.sizes.front()), std::log(chart.sizes.back()), kCurvesLeft + 18,
                kCurvesWidth - kCurvesRight - 12},
          .y = {ticks.low, ticks.high, kCurvesHeight - kCurvesBottom, kCurvesTop},
          .y_ticks = ticks};
}

void draw_curve_axes(Svg& svg, const ScoreCurves& chart, const CurveScales& scales) {
  const double right = kCurvesWidth - kCurvesRight, bottom = kCurvesHeight - kCurvesBottom;
  for (const double value : scales.y_ticks.at) {
    svg.line({kCurvesLeft, scales.y(value)}, {right, scales.y(value)}, "grid");
    svg.text({kCurvesLeft - 8, scales.y(value) + 4}, scales.y_ticks.label(value), "tick end");
  }
  svg.line({kCurvesLeft, bottom}, {right, bottom}, "axis");
  for (const double size : chart.sizes) {
    svg.line({scales.at(size), bottom}, {scales.at(size), bottom + 4}, "axis");
    svg.text({scales.at(size), bottom + 18}, count_text(size), "tick middle");
  }
  svg.text({(kCurvesLeft + right) / 2, kCurvesHeight - 8}, chart.x_label, "tick middle");
  svg.rotated_text({14, (kCurvesTop + bottom) / 2}, -90, chart.y_label, "tick middle");
}

/// Heights of the names, near the ends of their curves and apart from each other.
std::vector<double> name_heights(const ScoreCurves& chart, const CurveScales& scales) {
  std::vector<double> heights(chart.curves.size(), 0);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < heights.size(); ++i) {
    if (chart.curves[i].line.empty()) continue;
    heights[i] = scales.y(chart.curves[i].line.back().second);
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return heights[a] < heights[b]; });
  for (std::size_t i = 1; i < order.size(); ++i)
    heights[order[i]] = std::max(heights[order[i]], heights[order[i - 1]] + kNameHeight);
  double limit = kCurvesHeight - kCurvesBottom;  // what was pushed below the axis goes up again
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    heights[*i] = std::min(heights[*i], limit);
    limit = heights[*i] - kNameHeight;
  }
  return heights;
}

void draw_band(Svg& svg, const ScoreCurve& curve, const CurveScales& scales, const std::string& style) {
  std::vector<Point> corners;
  for (const Point& point : curve.high) corners.push_back(scales(point));
  for (auto point = curve.low.rbegin(); point != curve.low.rend(); ++point) corners.push_back(scales(*point));
  if (!corners.empty()) svg.polygon(corners, "area " + style);
}

void draw_curve(Svg& svg, const ScoreCurve& curve, const CurveScales& scales, const std::string& style,
                double dot_shift) {
  for (const Point& dot : curve.dots) {
    const auto [x, y] = scales(dot);
    svg.circle({x + dot_shift, y}, 3.2, "spot " + style,
               concat(curve.name, ", ", count_text(dot.first), ": ", metric_text(dot.second)));
  }
  std::vector<Point> line;
  for (const Point& point : curve.line) line.push_back(scales(point));
  svg.polyline(line, "toned " + style);
}

std::string cut_name(const std::string& name) {
  constexpr std::size_t kLongest = 22;
  if (display_width(name) <= kLongest) return name;
  return name.substr(0, kLongest - 1) + "…";  // names of methods are ASCII
}

}  // namespace

std::string score_curves(const ScoreCurves& chart) {
  if (chart.sizes.empty() || chart.curves.empty()) return "";
  const CurveScales scales = scales_of(chart);
  Svg svg(kCurvesWidth, kCurvesHeight, chart.title);
  svg.text({0, 16}, chart.title, "title");
  draw_curve_axes(svg, chart, scales);
  for (std::size_t i = 0; i < chart.curves.size(); ++i) draw_band(svg, chart.curves[i], scales, curve_style(i));
  const std::vector<double> heights = name_heights(chart, scales);
  for (std::size_t i = 0; i < chart.curves.size(); ++i) {
    const ScoreCurve& curve = chart.curves[i];
    const std::string style = curve_style(i);
    draw_curve(svg, curve, scales, style,
               (static_cast<double>(i) - static_cast<double>(chart.curves.size() - 1) / 2) * kDotShift);
    if (curve.line.empty()) continue;
    const Point end = scales(curve.line.back());
    const double name_at = kCurvesWidth - kCurvesRight + 14;
    svg.line({end.first + 4, end.second}, {name_at - 4, heights[i]},
             "lead-line tone-" + std::to_string(i % kStyles + 1));
    svg.text({name_at, heights[i] + 4}, cut_name(curve.name), "named tone-" + std::to_string(i % kStyles + 1));
  }
  return svg.finish();
}

}  // namespace attune::report
