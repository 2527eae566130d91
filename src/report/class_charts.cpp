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

}  // namespace

std::string heat_map(const Matrix& matrix) {
  const std::size_t n = matrix.labels.size();
  constexpr std::size_t label_limit = 24;
  const double cell = n <= 6 ? 62 : n <= 12 ? 46 : 36, names = widest(matrix.labels, label_limit) + 12;
  const double left = names + 18, slope = names * 0.72, top = slope + 34;
  const double side = cell * static_cast<double>(n);
  Svg svg(left + side + slope + 4, top + side + 4,
          "Confusion matrix: gold labels in rows, predicted labels in columns");
  svg.text({left, 12}, "predicted →", "tick");
  svg.rotated_text({11, top + side}, -90, "gold →", "tick");
  for (std::size_t i = 0; i < n; ++i) {
    const double at = cell * (static_cast<double>(i) + 0.5);
    const std::string name = fit_width(matrix.labels[i], label_limit);
    svg.text({left - 8, top + at + 4}, name, "label end");
    svg.rotated_text({left + at + 2, top - 8}, -45, name, "label");
  }
  for (std::size_t gold = 0; gold < n; ++gold) {
    double total = 0;
    for (const double count : matrix.counts[gold]) total += count;
    for (std::size_t predicted = 0; predicted < n; ++predicted) {
      const double count = matrix.counts[gold][predicted], share = total > 0 ? count / total : 0;
      const Point corner{left + cell * static_cast<double>(predicted), top + cell * static_cast<double>(gold)};
      const std::string tooltip =
          concat("gold ", matrix.labels[gold], ", predicted ", matrix.labels[predicted], ": ", count_text(count), " (",
                 static_cast<int>(std::lround(100 * share)), " % of the gold rows)");
      svg.rect(corner, {cell, cell}, "cell", "");
      svg.rect({corner.first + 1, corner.second + 1}, {cell - 2, cell - 2}, gold == predicted ? "right" : "wrong",
               opacity(share), tooltip);
      const std::string css = count == 0 ? "count faint middle" : share > 0.5 ? "count on middle" : "count middle";
      svg.text({corner.first + cell / 2, corner.second + cell / 2 + 4}, count == 0 ? "·" : count_text(count), css);
    }
  }
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
  constexpr double size = 300, left = 52, top = 14, bottom = 44;
  const Scale x{0, 1, left, left + size}, y{0, 1, top + size, top};
  double most = 0;
  for (const CalibrationBin& bin : bins) most = std::max(most, bin.rows);
  Svg svg(left + size + 20, top + size + bottom, "Reliability diagram: accuracy over confidence");
  for (int i = 0; i <= 5; ++i) {
    const double value = i / 5.0;
    const std::string label = concat(i * 20, " %");
    svg.line({left, y(value)}, {left + size, y(value)}, i == 0 ? "axis" : "grid");
    svg.text({left - 8, y(value) + 4}, label, "tick end");
    svg.text({x(value), top + size + 18}, label, "tick middle");
  }
  svg.line({x(0), y(0)}, {x(1), y(1)}, "mark");
  svg.text({left + size / 2, top + size + 38}, "confidence (probability of the chosen label)", "tick middle");
  svg.rotated_text({12, top + size / 2}, -90, "share that is right", "tick middle");
  for (const CalibrationBin& bin : bins) {
    if (!(bin.rows > 0)) continue;
    const double radius = 3 + 11 * std::sqrt(bin.rows / most);
    svg.line({x(bin.confidence), y(bin.confidence)}, {x(bin.confidence), y(bin.accuracy)}, "gap");
    svg.circle({x(bin.confidence), y(bin.accuracy)}, radius, "bubble",
               concat(count_text(bin.rows), " rows: confidence ", metric_text(bin.confidence), ", right ",
                      metric_text(bin.accuracy)));
  }
  return svg.finish();
}

}  // namespace attune::report
