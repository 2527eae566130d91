// Classes, thresholds and calibration of the report page.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "charts.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

constexpr std::size_t kMostClasses = 120;  // a larger matrix is no picture any more
constexpr std::size_t kWorstClasses = 60;
constexpr std::size_t kMostPairs = 12;
constexpr std::size_t kMostLabels = 25;

Matrix matrix_of(const Json& confusion) {
  Matrix matrix;
  if (!member(confusion, {"labels"}).is_array() || !member(confusion, {"counts"}).is_array()) return matrix;
  for (const Json& label : confusion["labels"]) matrix.labels.push_back(value_text(label));
  for (const Json& row : confusion["counts"]) {
    std::vector<double> counts;
    for (const Json& count : row) counts.push_back(number_or(count, 0));
    counts.resize(matrix.labels.size());
    matrix.counts.push_back(std::move(counts));
  }
  matrix.counts.resize(matrix.labels.size(), std::vector<double>(matrix.labels.size()));
  return matrix;
}

double mistakes(const Matrix& matrix, std::size_t label) {
  double sum = 0;
  for (std::size_t other = 0; other < matrix.labels.size(); ++other) {
    if (other != label) sum += matrix.counts[label][other] + matrix.counts[other][label];
  }
  return sum;
}

/// The labels that take part in the most mistakes, in the order of the matrix.
Matrix worst_classes(const Matrix& matrix) {
  std::vector<std::size_t> kept(matrix.labels.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = i;
  std::stable_sort(kept.begin(), kept.end(),
                   [&](std::size_t a, std::size_t b) { return mistakes(matrix, a) > mistakes(matrix, b); });
  kept.resize(kWorstClasses);
  std::sort(kept.begin(), kept.end());
  Matrix worst;
  for (const std::size_t gold : kept) {
    worst.labels.push_back(matrix.labels[gold]);
    std::vector<double>& row = worst.counts.emplace_back();
    for (const std::size_t predicted : kept) row.push_back(matrix.counts[gold][predicted]);
  }
  return worst;
}

std::string matrix_html(const Matrix& matrix) {
  const bool cut = matrix.labels.size() > kMostClasses;
  const std::string title = cut ? concat("Confusion matrix of the ", kWorstClasses,
                                         " labels with the most mistakes, of ", matrix.labels.size())
                                : std::string("Confusion matrix");
  return concat("<h3>", title,
                "</h3>\n<p class=\"soft\"><small>A row holds what the rows of one label were taken for. Blue: "
                "right, orange: mistakes; the stronger, the larger the share of the row. Point at a cell for its "
                "numbers.</small></p>\n<div class=\"scroll\">",
                heat_map(cut ? worst_classes(matrix) : matrix), "</div>\n");
}

std::string confused_pairs(const Matrix& matrix) {
  struct Pair {
    std::size_t gold, predicted;
    double count, share;
  };
  std::vector<Pair> pairs;
  for (std::size_t gold = 0; gold < matrix.labels.size(); ++gold) {
    double total = 0;
    for (const double count : matrix.counts[gold]) total += count;
    for (std::size_t predicted = 0; predicted < matrix.labels.size(); ++predicted) {
      const double count = matrix.counts[gold][predicted];
      if (gold != predicted && count > 0) pairs.push_back({gold, predicted, count, count / total});
    }
  }
  if (pairs.empty()) return "";
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  HtmlTable table{
      .header = {"gold", "predicted", "rows", "of the gold rows"}, .rows = {}, .figures = true, .text_columns = 2};
  for (const Pair& pair : pairs) {
    table.rows.push_back({escape_html(matrix.labels[pair.gold]), escape_html(matrix.labels[pair.predicted]),
                          count_text(pair.count), whole_percent(pair.share)});
  }
  return "<h3>Most confused pairs</h3>\n" + html_table(table);
}

std::string class_table(const Json& per_class) {
  HtmlTable table{.header = {"label", "precision", "recall", "F1", "rows"}, .rows = {}};
  for (const auto& [label, scores] : per_class.items()) {
    std::vector<std::string> row = {escape_html(label)};
    for (const char* name : {"precision", "recall", "f1"})
      row.push_back(metric_text(number_or(member(scores, {name}), NAN)));
    row.push_back(count_text(number_or(member(scores, {"support"}), 0)));
    table.rows.push_back(std::move(row));
  }
  return html_table(table);
}

std::string class_bars(const Json& per_class) {
  std::vector<Bar> bars;
  for (const auto& [label, scores] : per_class.items()) {
    const double f1 = number_or(member(scores, {"f1"}), 0), support = number_or(member(scores, {"support"}), 0);
    bars.push_back({label, f1, concat(metric_text(f1), " · ", count_text(support), support == 1 ? " row" : " rows")});
  }
  std::stable_sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) { return a.value < b.value; });
  const bool cut = bars.size() > kMostLabels;
  const std::string title =
      cut ? concat("F1 of the ", kMostLabels, " weakest of ", bars.size(), " labels") : "F1 by label, weakest first";
  if (cut) bars.resize(kMostLabels);
  return concat("<h3>", title, "</h3>\n<div class=\"scroll\">", bar_list(bars, 1, title), "</div>\n");
}

std::vector<ThresholdMark> curve_of(const Json& metrics) {
  std::vector<ThresholdMark> curve;
  const Json& points = member(metrics, {"thresholds", "points"});
  if (!points.is_array()) return curve;
  for (const Json& point : points) {
    curve.push_back({number_or(member(point, {"threshold"}), 0), number_or(member(point, {"precision"}), 0),
                     number_or(member(point, {"recall"}), 0), number_or(member(point, {"flagged"}), 0)});
  }
  return curve;
}

ThresholdMark best_f1(const std::vector<ThresholdMark>& curve) {
  return *std::max_element(curve.begin(), curve.end(), [](const auto& a, const auto& b) { return a.f1() < b.f1(); });
}

/// What happens at `threshold`: the first point of the curve that is not below it, else nothing is called positive.
ThresholdMark point_at(const std::vector<ThresholdMark>& curve, double threshold) {
  const auto point = std::find_if(curve.begin(), curve.end(), [&](const auto& p) { return p.threshold >= threshold; });
  return point == curve.end() ? ThresholdMark{threshold, 0, 0, 0} : *point;
}

std::string threshold_chart(const std::vector<ThresholdMark>& curve, double best) {
  Line precision{.name = "precision", .points = {}, .css = "series-a"},
      recall{.name = "recall", .points = {}, .css = "series-b"}, f1{.name = "F1", .points = {}, .css = "series-c"};
  for (const ThresholdMark& point : curve) {
    precision.points.emplace_back(point.threshold, point.precision);
    recall.points.emplace_back(point.threshold, point.recall);
    f1.points.emplace_back(point.threshold, point.f1());
  }
  return line_chart({.title = "Over the threshold",
                     .x_label = "threshold",
                     .y_label = "score",
                     .lines = {precision, recall, f1},
                     .marked_x = best,
                     .mark = "best F1"});
}

std::string threshold_table(const std::vector<ThresholdMark>& curve, double best) {
  HtmlTable table{.header = {"", "threshold", "rows called", "precision", "recall", "F1"}, .rows = {}};
  const auto add = [&](const std::string& name, const ThresholdMark& point, double threshold) {
    table.rows.push_back({name, metric_text(threshold), count_text(point.flagged), percent(point.precision),
                          percent(point.recall), metric_text(point.f1())});
  };
  add("as predicted", point_at(curve, 0.5), 0.5);
  add("best F1", point_at(curve, best), best);
  for (const double wanted : {0.5, 0.8, 0.9, 0.95}) {
    const auto point = std::find_if(curve.rbegin(), curve.rend(), [&](const auto& p) { return p.recall >= wanted; });
    if (point != curve.rend()) add(concat("finds at least ", whole_percent(wanted)), *point, point->threshold);
  }
  return html_table(table);
}

}  // namespace

std::string classes_section(const Json& summary) {
  const MainSplit split = main_split(summary);
  if (split.metrics == nullptr) return "";
  const Json& by_class = member(*split.metrics, {"per_class"});
  const Json& per_class = by_class.is_object() ? by_class : member(*split.metrics, {"per_type"});
  const Matrix matrix = matrix_of(member(*split.metrics, {"confusion_matrix"}));
  if (!per_class.is_object() && matrix.labels.empty()) return "";
  std::string html = concat("<p>On the ", split.name, " rows.</p>\n");
  if (!matrix.labels.empty()) html += matrix_html(matrix);
  if (matrix.labels.size() > 2) html += confused_pairs(matrix);
  if (per_class.is_object()) html += class_bars(per_class);
  if (per_class.is_object())
    html += "<details><summary>Precision and recall of every label</summary>" + class_table(per_class) + "</details>\n";
  return html;
}

std::string thresholds_section(const Json& summary) {
  const MainSplit split = main_split(summary);
  if (split.metrics == nullptr) return "";
  const std::vector<ThresholdMark> curve = curve_of(*split.metrics);
  if (curve.size() < 2) return "";
  const std::string positive = value_text(member(*split.metrics, {"thresholds", "positive"}));
  const std::vector<ThresholdMark> chosen_on = curve_of(member(summary, {"validation", "metrics"}));
  const bool own_rows = split.name == "validation" || chosen_on.size() < 2;
  const double best = best_f1(own_rows ? curve : chosen_on).threshold;
  const std::string where =
      own_rows ? concat("these ", split.name, " rows, so that their scores at it are a little too good")
               : std::string("the validation rows");
  std::string html =
      concat("<p>A row is called <b>", escape_html(positive),
             "</b> from a probability of 0.5 on. Another threshold "
             "trades precision (how many of the called rows are right) against recall (how many of the rows that "
             "are ",
             escape_html(positive), " are found). ", metric_text(best), " has the best F1 on ", where, ".</p>\n");
  const std::vector<MarkedPoint> marked = {{"0.5", point_at(curve, 0.5)}, {"best F1", point_at(curve, best)}};
  html += "<div class=\"charts\"><div>" + precision_recall_chart(curve, marked) + "</div>\n<div>" +
          threshold_chart(curve, best) + "</div></div>\n";
  return html + threshold_table(curve, best);
}

std::string calibration_section(const Json& summary) {
  const MainSplit split = main_split(summary);
  if (split.metrics == nullptr || !member(*split.metrics, {"reliability"}).is_array()) return "";
  std::vector<CalibrationBin> bins;
  for (const Json& bin : (*split.metrics)["reliability"]) {
    bins.push_back({number_or(member(bin, {"lower"}), 0), number_or(member(bin, {"upper"}), 0),
                    number_or(member(bin, {"rows"}), 0), number_or(member(bin, {"mean_confidence"}), 0),
                    number_or(member(bin, {"accuracy"}), 0)});
  }
  std::string html = concat(
      "<div class=\"columns\"><div>", reliability_diagram(bins), "</div><div><p>Of the ", split.name,
      " rows that were given a label with, say, 80\u00a0% confidence, 80\u00a0% should be right: then the circles lie on the "
      "dashed line. "
      "Below it the model is too sure of itself, above it not sure enough. Larger circles stand for more rows.</p>\n");
  HtmlTable table{.header = {}, .rows = {}};
  for (const char* name : {"ece", "brier", "log_loss"}) {
    const Json& value = member(*split.metrics, {name});
    if (value.is_number()) table.rows.push_back({escape_html(metric_label(name, *split.metrics)), metric_text(value.get<double>())});
  }
  return html + html_table(table) + "</div></div>\n";
}

}  // namespace attune::report
