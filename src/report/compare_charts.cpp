// See compare_charts.h.
#include "compare_charts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/report/table.h"
#include "html_text.h"

namespace attune::report {
namespace {

constexpr std::size_t kNameLimit = 30;

/// In pixels, of the page's usual letters.
double width_of(const std::string& text) {
  return 6.6 * static_cast<double>(display_width(text));
}

double widest_name(const std::vector<std::string>& names) {
  double widest = 0;
  for (const std::string& name : names) widest = std::max(widest, width_of(fit_width(name, kNameLimit)));
  return widest;
}

/// What an axis has to hold.
struct Reach {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void add(const std::optional<Point>& interval) {
    if (!interval) return;
    add(interval->first);
    add(interval->second);
  }
};

/// One row of an interval chart, around the height `middle`.
void draw_interval(Svg& svg, const IntervalRow& row, const Scale& x, double middle) {
  if (row.interval) {
    const auto [low, high] = *row.interval;
    svg.rect({x(low), middle - 8}, {x(high) - x(low), 16}, "band");
  }
  for (const auto& [name, value] : row.dots) {
    if (row.dots.size() > 1) svg.circle({x(value), middle}, 3.5, "dot ring series-a", name + ": " + metric_text(value));
  }
  svg.line({x(row.value), middle - 11}, {x(row.value), middle + 11}, "mean");
}

std::string interval_words(const IntervalRow& row) {
  const std::string value = metric_text(row.value);
  if (!row.interval) return value;
  return concat(value, " [", metric_text(row.interval->first), ", ", metric_text(row.interval->second), "]");
}

/// Names beside points, clear of one another and of the points: where one would lie on something it goes to the other
/// side or some lines higher or lower, and a line leads to it.
class NamePlacer {
 public:
  /// Names stay inside of `across` and `down`; lines of intervals stand on `points` from and to the heights of `bars`.
  NamePlacer(Point across, Point down, const std::vector<Point>& points, const std::vector<std::optional<Point>>& bars)
      : across_(across), down_(down) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto [x, y] = points[i];
      taken_.push_back({x - kMarker, x + kMarker, y + kBaseline});
      if (bars[i])
        bars_.push_back({x, std::min(bars[i]->first, bars[i]->second), std::max(bars[i]->first, bars[i]->second)});
    }
  }

  void place(Svg& svg, Point at, const std::string& name, const std::string& css) {
    const double width = width_of(name) * (css == "title" ? kTitleWidth : 1);
    const Place place = best_place(at, width);
    taken_.push_back(place.box);
    const double start = place.at_left ? place.box.to : place.box.from;
    draw_leader(svg, at, {place.at_left ? start + 2 : start - 2, place.box.y - kBaseline});
    svg.text({start, place.box.y}, name, place.at_left ? css + " end" : css);
  }

 private:
  static constexpr double kMarker = 8, kBaseline = 4, kGap = 10, kLineHeight = 13.5, kTitleWidth = 1.25;

  struct Box {
    double from, to, y;  ///< y: of the baseline
    bool meets(const Box& other) const {
      return from < other.to && to > other.from && std::abs(y - other.y) < kLineHeight;
    }
  };
  struct Bar {
    double x, top, bottom;
    bool crosses(const Box& box) const {
      return x > box.from && x < box.to && top < box.y && bottom > box.y - kLineHeight;
    }
  };
  struct Place {
    Box box;
    bool at_left;
  };

  bool is_free(const Box& box) const {
    const bool is_inside = box.from >= across_.first && box.to <= across_.second && box.y >= down_.first &&
                           box.y <= down_.second + kLineHeight / 2;
    return is_inside && std::ranges::none_of(taken_, [&](const Box& other) { return box.meets(other); });
  }

  /// Far from the point is dear, and so is lying on the line of an interval.
  double cost_of(const Place& place, double wanted) const {
    constexpr double kOnBar = 20, kAtLeft = 4;
    const auto bars = std::ranges::count_if(bars_, [&](const Bar& bar) { return bar.crosses(place.box); });
    return std::abs(place.box.y - wanted) + kOnBar * static_cast<double>(bars) + (place.at_left ? kAtLeft : 0);
  }

  Place best_place(Point at, double width) const {
    constexpr double kStep = 7;
    constexpr int kMostSteps = 40;
    const double wanted = at.second + kBaseline;
    const bool fits_right = at.first + kGap + width <= across_.second;
    Place best = place_at(at.first, width, wanted, !fits_right);
    double least = std::numeric_limits<double>::infinity();
    for (int step = -kMostSteps; step <= kMostSteps; ++step) {
      for (const bool at_left : {false, true}) {
        const Place place = place_at(at.first, width, wanted + kStep * step, at_left);
        const double cost = is_free(place.box) ? cost_of(place, wanted) : least;
        if (cost >= least) continue;
        least = cost;
        best = place;
      }
    }
    return best;
  }

  static Place place_at(double x, double width, double y, bool at_left) {
    const double from = at_left ? x - kGap - width : x + kGap;
    return {.box = {from, from + width, y}, .at_left = at_left};
  }

  /// From the rim of the marker; none to a name that stands right beside it.
  static void draw_leader(Svg& svg, Point point, Point to) {
    const double across = to.first - point.first, down = to.second - point.second, length = std::hypot(across, down);
    if (std::abs(down) < kBaseline) return;
    svg.line({point.first + across / length * kMarker, point.second + down / length * kMarker}, to, "lead-line");
  }

  Point across_, down_;
  std::vector<Box> taken_;
  std::vector<Bar> bars_;
};

/// Powers of ten around the costs.
struct Decades {
  explicit Decades(const std::vector<CostPoint>& points) {
    Reach reach;
    for (const CostPoint& point : points) reach.add(std::log10(point.cost));
    first = std::floor(reach.low + 1e-9);
    last = std::max(std::ceil(reach.high - 1e-9), first + 1);
  }
  double first, last;
};

void draw_cost_point(Svg& svg, const CostPoint& point, Point at, const std::optional<Point>& bar) {
  if (bar) svg.line({at.first, bar->first}, {at.first, bar->second}, "curve thin series-a");
  svg.circle(at, point.is_chosen ? 7 : 5, point.is_chosen ? "bubble" : "dot series-a",
             concat(point.label, ": ", metric_text(point.value), " for ", print_number("%.3g", point.cost)));
}

/// Where the cells of a matrix of differences lie.
struct MatrixPlan {
  static constexpr double kWidth = 68, kHeight = 40;

  explicit MatrixPlan(const DifferenceMatrix& matrix)
      : names(widest_name(matrix.labels) + 12), left(names), top(names * 0.72 + 16) {
    for (std::size_t i = 0; i < matrix.cells.size(); ++i) {
      for (std::size_t j = 0; j < matrix.cells.size(); ++j) {
        if (i != j) largest = std::max(largest, std::abs(matrix.cells[i][j].difference));
      }
    }
  }
  Point corner(std::size_t row, std::size_t column) const {
    return {left + kWidth * static_cast<double>(column), top + kHeight * static_cast<double>(row)};
  }

  double names, left, top;
  double largest = 0;  ///< difference
};

void draw_cell(Svg& svg, const DifferenceCell& cell, Point corner, double largest) {
  const double share = largest > 0 ? std::abs(cell.difference) / largest : 0;
  const double opacity = cell.is_significant ? 0.18 + 0.72 * share : 0;
  svg.rect({corner.first + 1, corner.second + 1}, {MatrixPlan::kWidth - 2, MatrixPlan::kHeight - 2},
           cell.difference > 0 ? "right" : "wrong", concat("fill-opacity=\"", pixels(opacity), "\""), cell.tooltip);
  const char* css = !cell.is_significant ? "count faint middle" : opacity > 0.55 ? "count on middle" : "count middle";
  svg.text({corner.first + MatrixPlan::kWidth / 2, corner.second + MatrixPlan::kHeight / 2 + 4},
           print_difference(cell.difference), css);
}

}  // namespace

std::string interval_chart(const std::vector<IntervalRow>& rows, const std::string& axis,
                           const std::optional<std::pair<double, std::string>>& mark) {
  constexpr double height = 34, top = 26, length = 470;
  std::vector<std::string> names, values;
  Reach reach;
  for (const IntervalRow& row : rows) {
    names.push_back(row.label);
    values.push_back(interval_words(row));
    reach.add(row.value);
    reach.add(row.interval);
    for (const auto& dot : row.dots) reach.add(dot.second);
  }
  if (mark) reach.add(mark->first);
  const double left = widest_name(names) + 34, right = left + length;
  const Ticks ticks = round_ticks(reach.low, reach.high, 6);
  const Scale x{ticks.low, ticks.high, left, right};
  const double bottom = top + height * static_cast<double>(rows.size());
  Svg svg(right + widest_name(values) + 20, bottom + 44, "The methods' " + axis + " with 95 % intervals");
  for (const double value : ticks.at) {
    svg.line({x(value), top}, {x(value), bottom}, "grid");
    svg.text({x(value), bottom + 17}, ticks.label(value), "tick middle");
  }
  svg.line({left, bottom}, {right, bottom}, "axis");
  svg.text({(left + right) / 2, bottom + 36}, axis, "tick middle");
  if (mark) {
    svg.line({x(mark->first), top - 6}, {x(mark->first), bottom}, "mark");
    const bool fits = x(mark->first) + width_of(mark->second) < right;
    svg.text({x(mark->first), top - 11}, mark->second, fits ? "tick" : "tick end");
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double middle = top + height * (static_cast<double>(i) + 0.5);
    if (rows[i].is_chosen) svg.text({0, middle + 5}, "▸", "label");
    svg.text({16, middle + 4}, fit_width(rows[i].label, kNameLimit), "label");
    draw_interval(svg, rows[i], x, middle);
    svg.text({right + 14, middle + 4}, values[i], "count");
  }
  return svg.finish();
}

std::string cost_chart(const std::vector<CostPoint>& points, const std::string& x_label, const std::string& y_label) {
  constexpr double width = 760, height = 380, left = 66, right = width - 20, top = 16, bottom = height - 50;
  if (points.empty()) return "";
  Reach reach;
  for (const CostPoint& point : points) {
    reach.add(point.value);
    reach.add(point.interval);
  }
  const Decades decades(points);
  const Ticks ticks = round_ticks(reach.low, reach.high, 6);
  const Scale x{decades.first, decades.last, left, right}, y{ticks.low, ticks.high, bottom, top};
  Svg svg(width, height, y_label + " over " + x_label);
  for (const double value : ticks.at) {
    svg.line({left, y(value)}, {right, y(value)}, "grid");
    svg.text({left - 8, y(value) + 4}, ticks.label(value), "tick end");
  }
  for (double power = decades.first; power <= decades.last + 0.5; ++power) {
    svg.line({x(power), top}, {x(power), bottom + 4}, "grid");
    svg.text({x(power), bottom + 18}, print_number("%g", std::pow(10, power)), "tick middle");
  }
  svg.line({left, bottom}, {right, bottom}, "axis");
  svg.text({(left + right) / 2, height - 8}, x_label, "tick middle");
  svg.rotated_text({12, (top + bottom) / 2}, -90, y_label, "tick middle");
  std::vector<Point> places;
  std::vector<std::optional<Point>> bars;
  for (const CostPoint& point : points) {
    places.emplace_back(x(std::log10(point.cost)), y(point.value));
    bars.push_back(point.interval ? std::optional(Point{y(point.interval->first), y(point.interval->second)})
                                  : std::nullopt);
    draw_cost_point(svg, point, places.back(), bars.back());
  }
  NamePlacer names({left, right}, {top, bottom}, places, bars);
  for (std::size_t i = 0; i < points.size(); ++i) {
    names.place(svg, places[i], fit_width(points[i].label, kNameLimit), points[i].is_chosen ? "title" : "label");
  }
  return svg.finish();
}

std::string difference_matrix(const DifferenceMatrix& matrix) {
  const MatrixPlan plan(matrix);
  const std::size_t count = matrix.labels.size();
  const double width = MatrixPlan::kWidth * static_cast<double>(count),
               height = MatrixPlan::kHeight * static_cast<double>(count);
  Svg svg(plan.left + width + plan.names * 0.72 + 4, plan.top + height + 4,
          "Differences of accuracy: the method of the row minus that of the column");
  svg.rect({plan.left, plan.top}, {width, height}, "frame");
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = fit_width(matrix.labels[i], kNameLimit);
    svg.text({plan.left - 8, plan.corner(i, 0).second + MatrixPlan::kHeight / 2 + 4}, name, "label end");
    svg.rotated_text({plan.corner(0, i).first + MatrixPlan::kWidth / 2 - 6, plan.top - 8}, -45, name, "label");
    for (std::size_t j = 0; j < count; ++j) {
      if (i != j) draw_cell(svg, matrix.cells[i][j], plan.corner(i, j), plan.largest);
    }
  }
  return svg.finish();
}

}  // namespace attune::report
