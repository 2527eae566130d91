// Classes, calibration, data, model and settings of the report page.
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

constexpr std::size_t kMostCells = 16;  // a larger matrix has cells too small for their numbers
constexpr std::size_t kMostPairs = 20;
constexpr std::size_t kMostBars = 25;

double number_or(const Json& value, double otherwise) {
  return value.is_number() ? value.get<double>() : otherwise;
}

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
  HtmlTable table{.header = {"gold", "predicted", "rows", "of the gold rows"}, .rows = {}};
  for (const Pair& pair : pairs) {
    table.rows.push_back({escape_html(matrix.labels[pair.gold]), escape_html(matrix.labels[pair.predicted]),
                          count_text(pair.count), concat(std::lround(100 * pair.share), " %")});
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
    bars.push_back({label, f1, concat(metric_text(f1), "  of ", count_text(support), support == 1 ? " row" : " rows")});
  }
  std::stable_sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) { return a.value < b.value; });
  const bool cut = bars.size() > kMostBars;
  const std::string title =
      cut ? concat("F1 of the ", kMostBars, " weakest of ", bars.size(), " labels") : "F1 by label, weakest first";
  if (cut) bars.resize(kMostBars);
  return concat("<h3>", title, "</h3>\n<div class=\"scroll\">", bar_list(bars, 1, title), "</div>\n");
}

std::string key_value_table(const Json& object) {
  HtmlTable table{.header = {}, .rows = {}, .figures = false};
  for (const auto& [key, value] : object.items()) {
    table.rows.push_back({escape_html(key), "<span class=\"code\">" + escape_html(value_text(value)) + "</span>"});
  }
  return table.rows.empty() ? "" : html_table(table);
}

std::string duplicates_notice(const Json& duplicates) {
  if (!duplicates.is_array() || duplicates.empty()) return "";
  std::string html;
  for (const Json& entry : duplicates) {
    const Json& between = member(entry, {"between"});
    if (!between.is_array() || between.size() != 2) continue;
    const std::string rows = value_text(member(entry, {"rows"}));
    const std::string first = value_text(between[0]), second = value_text(between[1]);
    html += "<div class=\"notice\">";
    html += escape_html(first == second ? concat(rows, " rows of ", first, " repeat the text of another row.")
                                        : concat(rows, " texts of ", second, " also occur in ", first,
                                                 "; scores on them are too good."));
    if (const Json& examples = member(entry, {"examples"}); examples.is_array()) {
      for (const Json& example : examples)
        html += "<br><small class=\"soft\">" + escape_html(value_text(example)) + "</small>";
    }
    html += "</div>\n";
  }
  return html;
}

void flatten(const Json& value, const std::string& path, std::vector<std::pair<std::string, std::string>>& rows) {
  if (!value.is_object() || value.empty()) {
    rows.emplace_back(path, value_text(value));
    return;
  }
  for (const auto& [key, part] : value.items()) flatten(part, path.empty() ? key : path + "." + key, rows);
}

std::string labels_html(const Json& labels) {
  std::vector<Bar> bars;
  double most = 0, total = 0;
  for (const auto& [label, rows] : labels.items()) {
    bars.push_back({label, number_or(rows, 0), ""});
    most = std::max(most, bars.back().value);
    total += bars.back().value;
  }
  for (Bar& bar : bars)
    bar.text = concat(count_text(bar.value), "  (", pixels(std::round(1000 * bar.value / total) / 10), " %)");
  std::stable_sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) { return a.value > b.value; });
  if (bars.size() <= kMostBars)
    return "<h3>Training rows by label</h3>\n<div class=\"scroll\">" + bar_list(bars, most, "Training rows by label") +
           "</div>\n";
  std::vector<Bar> rarest(bars.end() - 10, bars.end());
  bars.resize(10);
  return concat("<h3>Training rows by label: the ten most frequent</h3>\n<div class=\"scroll\">",
                bar_list(bars, most, "Most frequent labels"),
                "</div>\n<h3>… and the ten rarest</h3>\n<div class=\"scroll\">",
                bar_list(rarest, most, "Rarest labels"), "</div>\n");
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
  if (!matrix.labels.empty() && matrix.labels.size() <= kMostCells) {
    html +=
        "<h3>Confusion matrix</h3>\n<p class=\"soft\"><small>Blue: right, orange: mistakes; the stronger, the larger "
        "the share of the row.</small></p>\n<div class=\"scroll\">" +
        heat_map(matrix) + "</div>\n";
  }
  if (per_class.is_object()) html += class_bars(per_class);
  if (matrix.labels.size() > 2) html += confused_pairs(matrix);
  if (per_class.is_object())
    html += "<details><summary>Precision and recall of every label</summary>" + class_table(per_class) + "</details>\n";
  return html;
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
      " rows that were given a label with, say, 80 % confidence, 80 % should be right: then the circles lie on the "
      "dashed line. "
      "Below it the model is too sure of itself, above it not sure enough. Larger circles stand for more rows.</p>\n");
  HtmlTable table{.header = {}, .rows = {}};
  for (const char* name : {"ece", "brier", "log_loss"}) {
    const Json& value = member(*split.metrics, {name});
    if (value.is_number()) table.rows.push_back({escape_html(metric_label(name)), metric_text(value.get<double>())});
  }
  return html + html_table(table) + "</div></div>\n";
}

std::string data_section(const Json& summary) {
  const Json& data = member(summary, {"data"});
  if (!data.is_object()) return "";
  std::string html = duplicates_notice(member(data, {"duplicates"}));
  HtmlTable splits{.header = {"split", "rows", "most frequent label of the training rows"}, .rows = {}};
  const Json& rates = member(summary, {"majority"});
  bool any_rate = false;
  if (const Json& named = member(data, {"splits"}); named.is_object()) {
    for (const auto& [name, split] : named.items()) {
      const Json& rate = member(rates, {name.c_str()});
      any_rate = any_rate || rate.is_number();
      splits.rows.push_back(
          {escape_html(name), count_text(number_or(member(split, {"rows"}), 0)),
           rate.is_number() ? concat(pixels(std::round(1000 * rate.get<double>()) / 10), " %") : "–"});
    }
  }
  if (!any_rate) {
    splits.header.pop_back();
    for (auto& row : splits.rows) row.pop_back();
  }
  if (!splits.rows.empty()) html = html_table(splits) + html;
  if (const Json& labels = member(data, {"labels"}); labels.is_object() && !labels.empty()) html += labels_html(labels);
  if (const Json& tokens = member(data, {"tokens"}); tokens.is_object()) {
    HtmlTable table{.header = {}, .rows = {}};
    for (const auto& [key, value] : tokens.items()) {
      std::string label = key;
      std::replace(label.begin(), label.end(), '_', ' ');
      table.rows.push_back(
          {escape_html(label), escape_html(value.is_number_float() ? pixels(std::round(10 * value.get<double>()) / 10)
                                                                   : value_text(value))});
    }
    html += "<h3>Tokens a training row</h3>\n" + html_table(table);
  }
  return html;
}

std::string model_section(const Json& summary, const RunHistory& history) {
  std::string html;
  Json about = member(summary, {"trainable"});
  if (about.is_null() && history.model.is_object()) {
    about = history.model;
    about.erase("event");
  }
  if (about.is_string()) html += "<h3>What is trained</h3>\n<pre>" + escape_html(about.get<std::string>()) + "</pre>\n";
  if (about.is_object()) html += "<h3>What is trained</h3>\n" + key_value_table(about);
  if (const Json& reopened = member(summary, {"reopened"}); reopened.is_object()) {
    html +=
        "<p>The saved files were opened again: logits of " + escape_html(value_text(member(reopened, {"rows"}))) +
        (member(reopened, {"bit_equal"}) == Json(true)
             ? " rows are equal to the bit."
             : " rows differ by at most " + escape_html(value_text(member(reopened, {"max_abs_difference"}))) + ".") +
        "</p>\n";
  }
  if (const Json& train = member(summary, {"train"}); train.is_object())
    html += "<h3>Training</h3>\n" + key_value_table(train);
  const Json& given = member(summary, {"environment"});
  const Json& environment = given.is_object() ? given : history.environment;
  if (environment.is_object()) html += "<h3>Environment</h3>\n" + key_value_table(environment);
  return html;
}

std::string settings_section(const Json& summary) {
  const Json& settings = member(summary, {"settings"});
  if (!settings.is_object()) return "";
  std::string html;
  Json single = Json::object();
  for (const auto& [block, value] : settings.items()) {
    if (!value.is_object() || value.empty()) single[block] = value;
  }
  html += key_value_table(single);
  for (const auto& [block, value] : settings.items()) {
    if (!value.is_object() || value.empty()) continue;
    std::vector<std::pair<std::string, std::string>> rows;
    flatten(value, "", rows);
    HtmlTable table{.header = {}, .rows = {}, .figures = false};
    for (const auto& [key, text] : rows)
      table.rows.push_back({escape_html(key), "<span class=\"code\">" + escape_html(text) + "</span>"});
    html += concat("<h3>", escape_html(block), "</h3>\n", html_table(table));
  }
  return html;
}

}  // namespace attune::report
