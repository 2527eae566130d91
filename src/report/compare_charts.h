// The charts of a comparison of methods, each an <svg> string.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "svg.h"

namespace attune::report {

/// A value with its interval, and the single values that it is the mean of.
struct IntervalRow {
  std::string label;
  double value;
  std::optional<Point> interval;
  std::vector<std::pair<std::string, double>> dots;  ///< name and value; none or one: not shown
  bool is_chosen = false;
};
/// Rows one below the other on one axis; `mark` is a value to be beaten, with its name.
std::string interval_chart(const std::vector<IntervalRow>& rows, const std::string& axis,
                           const std::optional<std::pair<double, std::string>>& mark);

struct CostPoint {
  std::string label;
  double cost;  ///< above 0
  double value;
  std::optional<Point> interval;
  bool is_chosen = false;
};
/// Values over costs on a logarithmic axis; names stand beside the points, with a line to
/// those that had no room there.
std::string cost_chart(const std::vector<CostPoint>& points, const std::string& x_label, const std::string& y_label);

struct DifferenceCell {
  double difference = 0;  ///< row - column
  bool is_significant = false;
  std::string tooltip = {};
};
struct DifferenceMatrix {
  std::vector<std::string> labels;
  std::vector<std::vector<DifferenceCell>> cells;  ///< [row][column]; the diagonal is not looked at
};
/// Shaded where the difference is significant: better rows in one colour, worse in another.
std::string difference_matrix(const DifferenceMatrix& matrix);

}  // namespace attune::report
