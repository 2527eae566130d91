// Curves over steps, and dots of folds and seeds.
#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/report/table.h"
#include "charts.h"
#include "html_text.h"

namespace attune::report {
namespace {

constexpr double kWidth = 480, kHeight = 270, kLeft = 70, kRight = 14, kTop = 52, kBottom = 42;
constexpr double kKeyWidth = 36;  ///< of a line in the legend, without its name
constexpr std::size_t kMostPoints = 500;

/// At most kMostPoints points, each the mean of its neighbours: a longer line costs file size and shows nothing more.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= kMostPoints) return points;
  std::vector<Point> result;
  for (std::size_t i = 0; i < kMostPoints; ++i) {
    const std::size_t begin = i * points.size() / kMostPoints, end = (i + 1) * points.size() / kMostPoints;
    Point sum{0, 0};
    for (std::size_t j = begin; j < end; ++j) {
      sum.first += points[j].first;
      sum.second += points[j].second;
    }
    const auto n = static_cast<double>(end - begin);
    result.emplace_back(sum.first / n, sum.second / n);
  }
  return result;
}

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

double text_width(const std::string& text) {
  return 6.4 * static_cast<double>(display_width(text));
}

void draw_legend(Svg& svg, const std::vector<Line>& lines) {
  double x = kLeft;
  std::vector<std::string> seen;
  for (const Line& line : lines) {
    if (std::find(seen.begin(), seen.end(), line.name) != seen.end()) continue;
    seen.push_back(line.name);
    const std::string css = "curve " + line.css.substr(0, line.css.find(' '));
    svg.line({x, kTop - 18}, {x + 16, kTop - 18}, css);
    svg.text({x + 21, kTop - 14}, line.name, "key");
    x += kKeyWidth + text_width(line.name);
  }
}

void draw_grid(Svg& svg, const Ticks& ticks, const Scale& y) {
  for (const double value : ticks.at) {
    svg.line({kLeft, y(value)}, {kWidth - kRight, y(value)}, "grid");
    svg.text({kLeft - 8, y(value) + 4}, ticks.label(value), "tick end");
  }
}

}  // namespace

std::string line_chart(const LineChart& chart) {
  Extent x_extent, y_extent;
  for (const Line& line : chart.lines) {
    for (const auto& [x, y] : line.points) {
      x_extent.add(x);
      y_extent.add(y);
    }
  }
  if (!(x_extent.high >= x_extent.low)) return "";
  const Ticks y_ticks = round_ticks(y_extent.low, y_extent.high, 5);
  const Ticks x_ticks = round_ticks(std::min(0.0, x_extent.low), x_extent.high, 5);
  // The axis ends at the last point, not at the tick behind it: an empty right part would look like missing steps.
  const double last = std::max(x_extent.high, x_ticks.low + x_ticks.step / 10);
  const Scale x{x_ticks.low, last, kLeft, kWidth - kRight}, y{y_ticks.low, y_ticks.high, kHeight - kBottom, kTop};
  Svg svg(kWidth, kHeight, chart.title);
  svg.text({0, 16}, chart.title, "title");
  draw_legend(svg, chart.lines);
  draw_grid(svg, y_ticks, y);
  svg.line({kLeft, y.from}, {kWidth - kRight, y.from}, "axis");
  for (const double value : x_ticks.at) {
    if (value > last + 1e-9) continue;
    svg.line({x(value), y.from}, {x(value), y.from + 4}, "axis");
    svg.text({x(value), y.from + 17}, x_ticks.label(value), "tick middle");
  }
  svg.text({(x.from + x.to) / 2, kHeight - 6}, chart.x_label, "tick middle");
  svg.rotated_text({12, (y.from + y.to) / 2}, -90, chart.y_label, "tick middle");
  if (chart.marked_x) {
    const double at = x(*chart.marked_x);
    svg.line({at, kTop}, {at, y.from}, "mark");
    const bool room_right = at + text_width(chart.mark) + 8 < kWidth - kRight;
    svg.text({room_right ? at + 5 : at - 5, kTop + 9}, chart.mark, room_right ? "tick" : "tick end");
  }
  for (const Line& line : chart.lines) {
    std::vector<Point> points;
    for (const auto& [px, py] : thinned(line.points)) points.emplace_back(x(px), y(py));
    if (line.joined) svg.polyline(points, "curve " + line.css);
    if (line.joined && !line.dots && points.size() > 1) continue;
    const std::string css = "dot " + line.css.substr(0, line.css.find(" dash"));  // their rims are not dashed
    for (std::size_t i = 0; i < points.size(); ++i) svg.circle(points[i], 3, css);
  }
  return svg.finish();
}

bool legend_fits(const std::vector<std::string>& names) {
  double width = 0;
  for (const std::string& name : names) width += kKeyWidth + text_width(name);
  return width <= kWidth - kLeft - kRight;
}

namespace {

constexpr double kStripLeft = 200, kStripRight = 700, kStripFigures = 716, kStripWidth = 860;
constexpr const char* kStripTitle = "Values of the single trainings, their mean and interval";

void add_values(const DotStrip& strip, Extent& extent) {
  for (const auto& dot : strip.dots) extent.add(dot.second);
  if (!strip.interval) return;
  extent.add(strip.interval->first);
  extent.add(strip.interval->second);
}

Scale strip_scale(const Ticks& ticks) {
  return {ticks.low, ticks.high, kStripLeft, kStripRight};
}

void draw_strip_axis(Svg& svg, const Ticks& ticks, double axis) {
  const Scale x = strip_scale(ticks);
  svg.line({kStripLeft, axis}, {kStripRight, axis}, "grid");
  for (const double value : ticks.at) {
    svg.line({x(value), axis}, {x(value), axis + 4}, "axis");
    svg.text({x(value), axis + 16}, ticks.label(value), "tick middle");
  }
}

void draw_strip(Svg& svg, const DotStrip& strip, const Scale& x, double middle) {
  svg.text({0, middle + 4}, strip.label, "label");
  std::string summary = metric_text(strip.mean);
  if (strip.interval) {
    const auto [low, high] = *strip.interval;
    svg.rect({x(low), middle - 9}, {x(high) - x(low), 18}, "band");
    summary += " [" + metric_text(low) + ", " + metric_text(high) + "]";
  }
  for (const auto& [name, value] : strip.dots) {
    svg.circle({x(value), middle}, 4.5, "dot ring series-a", name + ": " + metric_text(value));
  }
  svg.line({x(strip.mean), middle - 12}, {x(strip.mean), middle + 12}, "mean");
  svg.text({kStripFigures, middle + 4}, summary, "label");
}

}  // namespace

std::string dot_strips(const std::vector<DotStrip>& strips) {
  constexpr double height = 58;
  Svg svg(kStripWidth, height * static_cast<double>(strips.size()), kStripTitle);
  double top = 0;
  for (const DotStrip& strip : strips) {
    Extent extent;
    add_values(strip, extent);
    const Ticks ticks = round_ticks(extent.low, extent.high, 4);
    draw_strip_axis(svg, ticks, top + 36);
    draw_strip(svg, strip, strip_scale(ticks), top + 20);
    top += height;
  }
  return svg.finish();
}

std::string dot_strips_on_one_axis(const std::vector<DotStrip>& strips) {
  constexpr double height = 30, below = 24;
  Extent extent;
  for (const DotStrip& strip : strips) add_values(strip, extent);
  const Ticks ticks = round_ticks(extent.low, extent.high, 4);
  const double axis = height * static_cast<double>(strips.size()) + 4;
  Svg svg(kStripWidth, axis + below, kStripTitle);
  for (const double value : ticks.at) {
    const double x = strip_scale(ticks)(value);
    svg.line({x, 0}, {x, axis}, "grid");
  }
  double middle = height / 2;
  for (const DotStrip& strip : strips) {
    draw_strip(svg, strip, strip_scale(ticks), middle);
    middle += height;
  }
  draw_strip_axis(svg, ticks, axis);
  return svg.finish();
}

}  // namespace attune::report
