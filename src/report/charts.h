// The charts of the report page, each an <svg> string. They know numbers and labels, nothing of runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "svg.h"

namespace attune::report {

struct Line {
  std::string name;           ///< in the legend; lines of one name share an entry
  std::vector<Point> points;  ///< by rising x
  std::string css;            ///< "series-a" … "series-d", plus "thin" where many lie over each other, or "dash-2"
  bool dots = false;
  bool joined = true;         ///< by a line; else there are its dots alone
};

struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Line> lines;
  std::optional<double> marked_x;  ///< a dashed upright, with `mark` beside it
  std::string mark;
};
std::string line_chart(const LineChart& chart);
/// Whether the legend of a line_chart has room for lines of these names.
bool legend_fits(const std::vector<std::string>& names);

/// A method's scores by the number of labels.
struct ScoreCurve {
  std::string name;
  std::vector<Point> line;             ///< by rising number of labels
  std::vector<Point> low, high;        ///< the band about it, at the same numbers; empty = none
  std::vector<Point> dots;             ///< one a training
};
/// Over a logarithmic axis whose ticks are `sizes`: every curve in a colour and a dash of its own, with its name at its end.
struct ScoreCurves {
  std::string title, x_label, y_label;
  std::vector<double> sizes;           ///< ascending, from 1 on
  std::vector<ScoreCurve> curves;
};
std::string score_curves(const ScoreCurves& chart);

/// One number a fold or a seed: dots, their mean and an interval.
struct DotStrip {
  std::string label;
  std::vector<std::pair<std::string, double>> dots;  ///< name and value
  double mean;
  std::optional<Point> interval;
};
/// Strips one below the other, each with an axis of its own: of different things.
std::string dot_strips(const std::vector<DotStrip>& strips);
/// Of the same thing: one axis, below the last strip, for all.
std::string dot_strips_on_one_axis(const std::vector<DotStrip>& strips);

struct Matrix {
  std::vector<std::string> labels;
  std::vector<std::vector<double>> counts;  ///< [gold][predicted]
};
/// Cells shaded by their share of the gold row: right answers in one colour, errors in another; counts stand in the
/// cells where there is room (up to 20 labels), else in their tooltips.
std::string heat_map(const Matrix& matrix);

struct Bar {
  std::string label;
  double value;
  std::string text;  ///< behind the bar
};
/// Horizontal bars from 0 to `full`.
std::string bar_list(const std::vector<Bar>& bars, double full, const std::string& description);

/// Precision and recall when rows are called positive from `threshold` on.
struct ThresholdMark {
  double threshold, precision, recall, flagged;
  double f1() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0.0; }
};
struct MarkedPoint {
  std::string name;
  ThresholdMark point;
};
/// Precision over recall, by rising threshold from right to left, beside the precision of calling every row positive.
std::string precision_recall_chart(const std::vector<ThresholdMark>& curve, const std::vector<MarkedPoint>& marked);

struct CalibrationBin {
  double lower, upper, rows, confidence, accuracy;
};
/// Accuracy over confidence, circles by their number of rows, beside the diagonal of perfect calibration.
std::string reliability_diagram(const std::vector<CalibrationBin>& bins);

}  // namespace attune::report
