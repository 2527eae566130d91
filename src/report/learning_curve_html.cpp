// See learning_curve_html.h.
#include "attune/report/learning_curve_html.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/report/openings.h"
#include "attune/report/units.h"
#include "charts.h"
#include "html_page.h"
#include "html_text.h"
#include "study_html.h"

namespace attune::report {

namespace {

using files::Json;

/// "labels per class" or "labels".
std::string labels_unit(const Json& results) {
  return results["per_class"].get<bool>() ? "labels per class" : "labels";
}

std::string curves_header(const Json& results) {
  return concat("<p class=\"soft\">", results["methods"].size(), " methods · ", results["sizes"].size(),
                " numbers of labels · ", results["seeds"].size(), " seeds, each with training rows of its own · ",
                count_text(results["test_rows"].get<double>()), " test rows of ", value_text(results["labels"]),
                " classes, the same for all</p>\n");
}

std::string sentences_list(const Json& sentences) {
  std::string html = "<ul>\n";
  for (const Json& sentence : sentences) html += "<li>" + sentence_html(sentence.get<std::string>()) + "</li>\n";
  return html + "</ul>\n";
}

/// The fitted curve with its band; where no law was fitted, the means by size.
ScoreCurve score_curve_of(const Json& method) {
  ScoreCurve curve{.name = method["name"].get<std::string>(), .line = {}, .low = {}, .high = {}, .dots = {}};
  if (method["learns"].get<bool>()) {
    for (const Json& point : method["points"]) {
      if (point.contains("accuracy"))
        curve.dots.emplace_back(point["size"].get<double>(), point["accuracy"].get<double>());
    }
  }
  for (const Json& place : member(method, {"curve"})) {
    const double labels = place["labels"].get<double>();
    curve.line.emplace_back(labels, place["value"].get<double>());
    if (!place["interval"].is_array()) continue;
    curve.low.emplace_back(labels, place["interval"][0].get<double>());
    curve.high.emplace_back(labels, place["interval"][1].get<double>());
  }
  if (!curve.line.empty()) return curve;
  for (const Json& size : method["by_size"]) {
    if (size["accuracy"]["mean"].is_number())
      curve.line.emplace_back(size["size"].get<double>(), size["accuracy"]["mean"].get<double>());
  }
  return curve;
}

std::string curves_section(const Json& results) {
  ScoreCurves chart{.title = "Accuracy on the test rows by the number of labels",
                    .x_label = labels_unit(results) + " (logarithmic)",
                    .y_label = "accuracy",
                    .sizes = results["sizes"].get<std::vector<double>>(),
                    .curves = {}};
  for (const Json& method : results["methods"]) chart.curves.push_back(score_curve_of(method));
  return concat(
      "<div class=\"scroll\">", score_curves(chart),
      "</div>\n<p class=\"soft\">Dots are single trainings, one a seed. A line is the law asymptote − gap · "
      "n<sup>−exponent</sup> fitted to "
      "them; its band is where it would lie under other seeds (95\u00a0%). Methods that look at no training rows "
      "are level.</p>\n");
}

/// "0.812 ± 0.013".
std::string mean_cell(const Json& found) {
  const Json& mean = member(found, {"mean"});
  if (!mean.is_number()) return "–";
  const Json& sd = member(found, {"sd"});
  return sd.is_number() ? concat(metric_text(mean.get<double>()), "<small class=\"soft\">± ",
                                 metric_text(sd.get<double>()), "</small>")
                        : metric_text(mean.get<double>());
}

const Json& entry_of(const Json& method, const Json& size) {
  static const Json none = nullptr;
  for (const Json& entry : method["by_size"]) {
    if (entry["size"].is_null() || entry["size"] == size) return entry;
  }
  return none;
}

/// A row a method, a column a size; that of what does not learn is the same everywhere.
std::string size_table(const Json& results, const char* key) {
  HtmlTable table{.header = {"method"}, .rows = {}};
  for (const Json& size : results["sizes"]) table.header.push_back(value_text(size));
  for (const Json& method : results["methods"]) {
    std::vector<std::string> row = {escape_html(method["name"].get<std::string>())};
    for (const Json& size : results["sizes"]) row.push_back(mean_cell(member(entry_of(method, size), {key})));
    table.rows.push_back(std::move(row));
  }
  return html_table(table);
}

std::string scores_section(const Json& results) {
  std::string html = concat("<p>Means over seeds ± standard deviation, by ", labels_unit(results), ".</p>\n");
  for (const auto& [key, title] : {std::pair{"accuracy", "Accuracy"}, {"f1", "F1, macro"}, {"loss", "Loss"}}) {
    html += concat("<h3>", title, "</h3>\n", size_table(results, key));
  }
  return html;
}

std::string gain_cell(const Json& method) {
  if (!method["learns"].get<bool>()) return "0";
  const Json &value = member(method, {"gain", "value"}), &interval = member(method, {"gain", "interval"});
  if (!value.is_number()) return "–";
  std::string text = print_difference(value.get<double>());
  if (has_width(interval))
    text += concat("<small class=\"soft\">[", print_difference(interval[0].get<double>()), ", ",
                   print_difference(interval[1].get<double>()), "]</small>");
  return text;
}

/// What more labels bring every method.
std::string gains_table(const Json& results) {
  const Json &largest = results["sizes"].back(), &more = results["more"];
  HtmlTable table{.header = {"method", concat("accuracy at ", value_text(largest)),
                             concat("+", value_text(more), " ", labels_unit(results)), "misfit of the law"},
                  .rows = {}};
  for (const Json& method : results["methods"]) {
    table.rows.push_back({escape_html(method["name"].get<std::string>()),
                          mean_cell(member(entry_of(method, largest), {"accuracy"})), gain_cell(method),
                          figure(member(method, {"law", "misfit"}))});
  }
  const double last = largest.get<double>();
  return concat("<h3>What more labels bring</h3>\n<p>What each method's law says of the way from ", count_text(last),
                " to ", count_text(last + more.get<double>()), " ", labels_unit(results), ", that is beyond ",
                value_text(largest),
                ", where nothing was measured. 0: the method looks at no training rows. –: it has scores at fewer than "
                "three numbers of labels, so that no law was fitted.</p>\n",
                html_table(table));
}

/// "20 [10, 40]".
std::string place_cell(const Json& crossing) {
  const Json &labels = crossing["labels"], &interval = crossing["interval"];
  if (!labels.is_number()) return "–";
  const std::string place = count_text(std::round(labels.get<double>()));
  if (!interval.is_array()) return place;
  return concat(place, "<small class=\"soft\">[", count_text(std::round(interval[0].get<double>())), ", ",
                count_text(std::round(interval[1].get<double>())), "]</small>");
}

/// Every pair of curves: where they cross, and how often they would under other seeds.
std::string crossings_table(const Json& results) {
  const Json& crossings = member(results, {"crossings"});
  if (!crossings.is_array() || crossings.empty()) return "";
  HtmlTable table{
      .header = {"curves", "ahead at first", concat("cross at ", labels_unit(results)), "under other seeds"},
      .rows = {},
      .figures = true,
      .text_columns = 2};
  for (const Json& crossing : crossings) {
    const Json& share = crossing["share"];
    table.rows.push_back({escape_html(concat(value_text(crossing["first"]), ", ", value_text(crossing["second"]))),
                          escape_html(value_text(crossing["ahead"])), place_cell(crossing),
                          share.is_number() ? whole_percent(share.get<double>()) : "–"});
  }
  return concat(
      "<details><summary>Every pair of curves</summary>\n<p>The smallest number of labels at which they change "
      "places, with its 95\u00a0% interval over seeds, and in how many cases they do under other seeds. –: between ",
      value_text(results["sizes"].front()), " and ", value_text(results["sizes"].back()),
      " they do not. Ahead at first: where they differ first; –: they are the same throughout.</p>\n",
      html_table(table), "</details>\n");
}

std::string laws_section(const Json& results) {
  HtmlTable table{.header = {"method", "asymptote", "gap", "exponent", "misfit"}, .rows = {}};
  for (const Json& method : results["methods"]) {
    if (!method.contains("law")) continue;
    const Json& law = method["law"];
    table.rows.push_back({escape_html(method["name"].get<std::string>()), metric_text(law["asymptote"].get<double>()),
                          metric_text(law["gap"].get<double>()), metric_text(law["exponent"].get<double>()),
                          metric_text(law["misfit"].get<double>())});
  }
  if (table.rows.empty()) return "";
  return concat(
      "<p>score(n) = asymptote − gap · n<sup>−exponent</sup>, by least squares over the means at each number; the "
      "misfit is the "
      "largest distance of such a mean from the law.</p>\n",
      html_table(table));
}

std::string failed_section(const Json& results) {
  HtmlTable table{.header = {"method", "labels", "seed", "what happened"}, .rows = {}, .figures = false};
  for (const Json& method : results["methods"]) {
    for (const Json& point : method["points"]) {
      if (!point.contains("failed")) continue;
      table.rows.push_back({escape_html(method["name"].get<std::string>()), value_text(point["size"]),
                            value_text(point["seed"]), escape_html(point["failed"].get<std::string>())});
    }
  }
  return table.rows.empty()
             ? ""
             : "<p>These trainings have no score; means and curves are those of the others.</p>\n" + html_table(table);
}

std::string work_section(const Json& results) {
  return concat("<p>Seconds for training and answering once, by ", labels_unit(results), ".</p>\n",
                size_table(results, "seconds"));
}

}  // namespace

std::string learning_curve_page(const Json& results) {
  return html_page(
      {.title = page_title(results), .header = curves_header(results) + opening_html(results), .version = "–"},
      {{"curves", "Learning curves", curves_section(results)},
       {"reading", "What they say",
        sentences_list(results["sentences"]) + gains_table(results) + crossings_table(results)},
       {"scores", "Scores", scores_section(results)},
       {"laws", "Laws", laws_section(results)},
       {"failed", "Trainings that diverged", failed_section(results)},
       {"work", "Time", work_section(results)}});
}

}  // namespace attune::report
