// What is said of classes: confusion matrix, bars, reliability diagram.
#include <algorithm>
#include <cmath>

#include "attune/base/strings.h"
#include "attune/report/table.h"
#include "charts.h"
#include "html_text.h"

namespace attune::report {
namespace {

double widest(const std::vector<std::string>& labels, std::size_t limit) {
  std::size_t columns = 0;
  for (const auto& label : labels) columns = std::max(columns, std::min(limit, display_width(label)));
  return 6.6 * static_cast<double>(columns);
}

/// Square root for the eye: a row share of 5 % must still be seen.
std::string opacity(double share) {
  return concat("fill-opacity=\"", pixels(share <= 0 ? 0 : 0.08 + 0.92 * std::pow(share, 0.7)), "\"");
}

/// Geometry of a confusion matrix: large cells with numbers for few labels, small bare ones for many.
struct MatrixFrame {
  explicit MatrixFrame(const std::vector<std::string>& labels) {
    constexpr double widest_matrix = 900;
    const auto n = static_cast<double>(labels.size());
    cell = n <= 6 ? 62 : n <= 12 ? 46 : n <= 20 ? 36 : std::max(10.0, widest_matrix / n);
    names = widest(labels, kLabelLimit) * (small() ? 0.8 : 1.0) + 12;
    left = names + 18;
    top = names * 0.72 + 34;
  }
  bool small() const { return cell < 20; }
  double gap() const { return small() ? 0.5 : 1; }
  std::string css(const std::string& name) const { return small() ? name + " tiny" : name; }

  static constexpr std::size_t kLabelLimit = 28;
  double cell, names, left, top;
};

void draw_matrix_names(Svg& svg, const Matrix& matrix, const MatrixFrame& frame) {
  for (std::size_t i = 0; i < matrix.labels.size(); ++i) {
    const double at = frame.cell * (static_cast<double>(i) + 0.5);
    const std::string name = fit_width(matrix.labels[i], MatrixFrame::kLabelLimit);
    svg.text({frame.left - 8, frame.top + at + (frame.small() ? 3 : 4)}, name, frame.css("label end"));
    svg.rotated_text({frame.left + at + 2, frame.top - 8}, -45, name, frame.css("label"));
  }
}

void draw_matrix_row(Svg& svg, const Matrix& matrix, std::size_t gold, const MatrixFrame& frame) {
  double total = 0;
  for (const double count : matrix.counts[gold]) total += count;
  for (std::size_t predicted = 0; predicted < matrix.labels.size(); ++predicted) {
    const double count = matrix.counts[gold][predicted], share = total > 0 ? count / total : 0;
    if (count == 0 && frame.small()) continue;
    const Point corner{frame.left + frame.cell * static_cast<double>(predicted),
                       frame.top + frame.cell * static_cast<double>(gold)};
    const double side = frame.cell - 2 * frame.gap();
    svg.rect({corner.first + frame.gap(), corner.second + frame.gap()}, {side, side},
             gold == predicted ? "right" : "wrong", opacity(share),
             concat("gold ", matrix.labels[gold], ", predicted ", matrix.labels[predicted], ": ", count_text(count),
                    " of ", count_text(total), " (", whole_percent(share), ")"));
    if (frame.small()) continue;
    const std::string css = count == 0 ? "count faint middle" : share > 0.5 ? "count on middle" : "count middle";
    svg.text({corner.first + frame.cell / 2, corner.second + frame.cell / 2 + 4}, count == 0 ? "·" : count_text(count),
             css);
  }
}

/// Lines to follow from a name to its cell where cells are small.
void draw_matrix_guides(Svg& svg, double side, const MatrixFrame& frame) {
  svg.rect({frame.left, frame.top}, {side, side}, "frame");
  if (!frame.small()) return;
  for (double at = 5 * frame.cell; at < side - 1; at += 5 * frame.cell) {
    svg.line({frame.left, frame.top + at}, {frame.left + side, frame.top + at}, "grid");
    svg.line({frame.left + at, frame.top}, {frame.left + at, frame.top + side}, "grid");
  }
}

/// Axes of a chart of shares over shares; `top` leaves room for a title.
struct UnitFrame {
  static constexpr double size = 300, left = 66, bottom = 44;
  explicit UnitFrame(double top_margin) : top(top_margin), y{0, 1, top_margin + size, top_margin} {}

  double top;
  Scale x{0, 1, left, left + size};
  Scale y;
};

Svg unit_chart(const UnitFrame& frame, const std::string& description, const std::string& x_label,
               const std::string& y_label) {
  Svg svg(frame.left + frame.size + 40, frame.top + frame.size + frame.bottom, description);
  for (int i = 0; i <= 5; ++i) {
    const double value = i / 5.0;
    const std::string label = concat(i * 20, " %");
    svg.line({frame.left, frame.y(value)}, {frame.left + frame.size, frame.y(value)}, i == 0 ? "axis" : "grid");
    svg.text({frame.left - 8, frame.y(value) + 4}, label, "tick end");
    svg.text({frame.x(value), frame.top + frame.size + 18}, label, "tick middle");
  }
  svg.text({frame.left + frame.size / 2, frame.top + frame.size + 38}, x_label, "tick middle");
  svg.rotated_text({12, frame.top + frame.size / 2}, -90, y_label, "tick middle");
  return svg;
}

}  // namespace

std::string heat_map(const Matrix& matrix) {
  const MatrixFrame frame(matrix.labels);
  const double side = frame.cell * static_cast<double>(matrix.labels.size());
  Svg svg(frame.left + side + frame.names * 0.72 + 4, frame.top + side + 4,
          "Confusion matrix: gold labels in rows, predicted labels in columns");
  svg.text({frame.left, 12}, "predicted label →", "tick");
  svg.rotated_text({11, frame.top + side}, -90, "gold label →", "tick");
  draw_matrix_guides(svg, side, frame);
  draw_matrix_names(svg, matrix, frame);
  for (std::size_t gold = 0; gold < matrix.labels.size(); ++gold) draw_matrix_row(svg, matrix, gold, frame);
  return svg.finish();
}

std::string bar_list(const std::vector<Bar>& bars, double full, const std::string& description) {
  constexpr double row = 22, length = 380;
  std::vector<std::string> labels, texts;
  for (const Bar& bar : bars) {
    labels.push_back(bar.label);
    texts.push_back(bar.text);
  }
  const double left = widest(labels, 36) + 14;
  Svg svg(left + length + widest(texts, 60) + 20, row * static_cast<double>(bars.size()) + 2, description);
  double top = 1;
  for (const Bar& bar : bars) {
    svg.text({left - 8, top + 15}, fit_width(bar.label, 36), "label end");
    svg.rect({left, top + 3}, {length, row - 6}, "track");
    svg.rect({left, top + 3}, {full > 0 ? length * std::clamp(bar.value / full, 0.0, 1.0) : 0, row - 6}, "bar", "",
             bar.label + ": " + bar.text);
    svg.text({left + length + 8, top + 15}, bar.text, "label");
    top += row;
  }
  return svg.finish();
}

std::string reliability_diagram(const std::vector<CalibrationBin>& bins) {
  const UnitFrame frame(14);
  Svg svg = unit_chart(frame, "Reliability diagram: accuracy over confidence",
                       "confidence (probability of the chosen label)", "share that is right");
  double most = 0;
  for (const CalibrationBin& bin : bins) most = std::max(most, bin.rows);
  svg.line({frame.x(0), frame.y(0)}, {frame.x(1), frame.y(1)}, "mark");
  for (const CalibrationBin& bin : bins) {
    if (!(bin.rows > 0)) continue;
    const double radius = 3 + 11 * std::sqrt(bin.rows / most);
    svg.line({frame.x(bin.confidence), frame.y(bin.confidence)}, {frame.x(bin.confidence), frame.y(bin.accuracy)},
             "gap");
    svg.circle({frame.x(bin.confidence), frame.y(bin.accuracy)}, radius, "bubble",
               concat(count_text(bin.rows), bin.rows == 1 ? " row: confidence " : " rows: confidence ",
                      percent(bin.confidence), ", right ", percent(bin.accuracy)));
  }
  return svg.finish();
}

std::string precision_recall_chart(const std::vector<ThresholdMark>& curve, const std::vector<MarkedPoint>& marked) {
  const UnitFrame frame(40);
  Svg svg = unit_chart(frame, "Precision over recall", "recall: share of the positive rows that is found",
                       "precision: share of the called rows that is right");
  svg.text({0, 16}, "Precision over recall", "title");
  const double everything = curve.front().precision;
  svg.line({frame.x(0), frame.y(everything)}, {frame.x(1), frame.y(everything)}, "mark");
  svg.text({frame.x(0) + 6, frame.y(everything) + (everything > 0.5 ? 14 : -6)}, "calling every row positive", "tick");
  std::vector<Point> points;
  for (const ThresholdMark& point : curve) points.emplace_back(frame.x(point.recall), frame.y(point.precision));
  svg.polyline(points, "curve series-a");
  double next_line = 0;  // names one below the other, so that marks at one place can be read
  for (const MarkedPoint& mark : marked) {
    const Point at{frame.x(mark.point.recall), frame.y(mark.point.precision)};
    svg.circle(at, 5, "dot series-b",
               concat("threshold ", metric_text(mark.point.threshold), ": precision ", percent(mark.point.precision),
                      ", recall ", percent(mark.point.recall)));
    const bool at_the_right = mark.point.recall > 0.6;
    svg.text({at.first + (at_the_right ? -9 : 9), at.second + 18 + next_line}, mark.name,
             at_the_right ? "tick end" : "tick");
    next_line += 15;
  }
  return svg.finish();
}

}  // namespace attune::report
