// See compare_html.h.
#include "attune/report/compare_html.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/report/openings.h"
#include "compare_charts.h"
#include "compare_parts.h"
#include "html_page.h"
#include "html_text.h"
#include "prompt_parts.h"
#include "study_html.h"

namespace attune::report {
namespace {

using files::Json;

constexpr double kAlpha = 0.05;
constexpr std::size_t kShownIds = 12;

std::string estimate_cell(const Json& estimate, const char* key) {
  return with_interval(member(estimate, {key}), interval_of(estimate["interval"]) ? estimate["interval"] : Json());
}

std::string facts_header(const Json& results) {
  const Json& rows = results["rows"];
  return concat("<p class=\"soft\">", results["methods"].size(), " methods, ", count_text(rows["test"].get<double>()),
                " test rows of ", results["labels"].get<std::int64_t>(), " labels · learned from ",
                count_text(rows["train"].get<double>()), " rows, chosen by ",
                count_text(rows["validation"].get<double>()), "</p>\n");
}

std::string recommendation_section(const Json& results) {
  const Json& found = results["recommendation"];
  std::string html = lead(concat("<b>", html_of(found, "method"), "</b> is recommended",
                                 found["is_clear"].get<bool>() ? "." : ", with a reservation."));
  html += concat("<p>", sentence_html(found["reason"].get<std::string>()), "</p>\n");
  return html + concat("<p class=\"soft\">The rule: ", sentence_html(found["rule"].get<std::string>()), "</p>\n");
}

std::string accuracy_chart(const Json& results) {
  std::vector<IntervalRow> rows;
  for (const Json& method : results["methods"]) {
    IntervalRow row{.label = method["name"].get<std::string>(),
                    .value = method["accuracy"]["value"].get<double>(),
                    .interval = interval_of(method["accuracy"]["interval"]),
                    .dots = {},
                    .is_chosen = is_recommended(results, method)};
    for (std::size_t i = 0; i < method["seeds"].size(); ++i) {
      row.dots.emplace_back("seed " + method["seeds"][i].dump(), method["seed_accuracies"][i].get<double>());
    }
    rows.push_back(std::move(row));
  }
  std::optional<std::pair<double, std::string>> mark;
  if (results["majority"].is_number())
    mark.emplace(results["majority"].get<double>(), "always the most frequent label");
  return interval_chart(rows, "accuracy on the test rows", mark);
}

std::string scores_section(const Json& results) {
  HtmlTable table{.header = {"method", "accuracy", "F1, macro", "loss", "right alone"}, .rows = {}};
  for (const Json& method : results["methods"]) {
    const std::string name = html_of(method, "name");
    table.rows.push_back({is_recommended(results, method) ? "<b>" + name + "</b>" : name,
                          estimate_cell(method["accuracy"], "value"), estimate_cell(method["f1_macro"], "value"),
                          estimate_cell(method["loss"], "value"), count_text(method["alone"]["rows"].get<double>())});
  }
  return concat(
      "<div class=\"scroll\">", accuracy_chart(results), "</div>\n", html_table(table),
      "<p class=\"soft\">Means over seeds (dots). Intervals: 95\u00a0%, by bootstrap over rows and seeds, and "
      "Wilson's of a share of all rows or none; few seeds say little about others. None stands where no "
      "resample differs. The loss is that of the label's probability (natural logarithm); methods that write texts "
      "give none.</p>\n");
}

const Json& pair_between(const Json& results, const Json& a, const Json& b) {
  return *std::ranges::find_if(results["pairs"], [&](const Json& pair) {
    return (pair["first"] == a && pair["second"] == b) || (pair["first"] == b && pair["second"] == a);
  });
}

DifferenceCell cell_of(const Json& results, const Json& row, const Json& column) {
  const Json& pair = pair_between(results, row, column);
  const double difference = pair["accuracy"]["difference"].get<double>() * (pair["second"] == row ? 1 : -1);
  const double p = number_or(pair["p_holm"], 1);
  return {.difference = difference,
          .is_significant = p < kAlpha,
          .tooltip = concat(row.get<std::string>(), " minus ", column.get<std::string>(), ": ", metric_text(difference),
                            ", p = ", print_number("%.2g", p), " after Holm's correction")};
}

std::string pairs_table(const Json& results) {
  HtmlTable table{.header = {"pair", "difference", "p", "p, Holm", "right alone of both", "smallest detectable"},
                  .rows = {}};
  for (const Json& pair : results["pairs"]) {
    table.rows.push_back({concat(html_of(pair, "second"), " minus ", html_of(pair, "first")),
                          estimate_cell(pair["accuracy"], "difference"), figure(pair["p"]), figure(pair["p_holm"]),
                          concat(pair["only_second"].dump(), " : ", pair["only_first"].dump()),
                          figure(pair["detectable"])});
  }
  return html_table(table);
}

std::string pairs_section(const Json& results) {
  DifferenceMatrix matrix;
  for (const Json& row : results["methods"]) {
    matrix.labels.push_back(row["name"].get<std::string>());
    std::vector<DifferenceCell>& cells = matrix.cells.emplace_back();
    for (const Json& column : results["methods"]) {
      cells.push_back(row["name"] == column["name"] ? DifferenceCell() : cell_of(results, row["name"], column["name"]));
    }
  }
  return concat(
      "<p>Accuracy of the row's method minus that of the column's. Shaded: significant after Holm's correction over "
      "all ",
      results["pairs"].size(), " pairs (p &lt; ", print_number("%g", kAlpha), ").</p>\n<div class=\"scroll\">",
      difference_matrix(matrix), "</div>\n", pairs_table(results),
      "<p class=\"soft\">Test: McNemar's, exact, between methods without chance; where one has several seeds, sign "
      "flips of "
      "the difference of the means over seeds by row. Smallest detectable: the difference that these rows would have "
      "shown "
      "in 80\u00a0% of cases, at a level of ",
      print_number("%g", kAlpha),
      " over the number of pairs; – where methods agree too often, or on all rows, for any.</p>\n");
}

std::string alone_section(const Json& results) {
  HtmlTable table{.header = {"method", "rows", "ids"}, .rows = {}, .figures = false};
  for (const Json& method : results["methods"]) {
    std::vector<std::string> ids;
    for (const Json& id : method["alone"]["ids"]) {
      if (ids.size() == kShownIds) break;
      ids.push_back(escape_html(value_text(id)));
    }
    const auto rows = method["alone"]["rows"].get<std::size_t>();
    if (rows == 0) continue;
    table.rows.push_back({html_of(method, "name"), count_text(static_cast<double>(rows)),
                          join(ids, ", ") + (rows > ids.size() ? ", …" : "")});
  }
  if (table.rows.empty()) return "";
  return "<p>Rows that one method gets right (under more than half of its seeds) and no other does.</p>\n" +
         html_table(table);
}

std::string choice_section(const Json& results) {
  HtmlTable table{.header = {"method", "kind", "chosen", "candidates", "seeds"}, .rows = {}, .figures = false};
  for (const Json& method : results["methods"]) {
    table.rows.push_back({html_of(method, "name"), html_of(method, "kind"), html_of(method, "candidate"),
                          method["candidates"].dump(), html_of(method, "seeds")});
  }
  std::string html =
      concat("<p>Every method could choose among ", results["selection_budget"].get<std::int64_t>(),
             " candidates at most, by its mean accuracy on the validation rows alone.</p>\n", html_table(table));
  HtmlTable tried{.header = {"candidate", "accuracy", "loss"}, .rows = {}};
  for (const Json& method : results["methods"]) {
    for (const Json& one : method["tried"]) {
      const bool failed = one.contains("failed");
      tried.rows.push_back({concat(html_of(method, "name"), ": ", html_of(one, "name")),
                            failed ? "diverged" : figure(one["accuracy"]), failed ? "–" : figure(one["loss"])});
    }
  }
  if (tried.rows.empty()) return html;
  return concat(html, "<h3>On the validation rows</h3>\n", html_table(tried));
}

std::string asked_section(const Json& results) {
  std::string html;
  for (const Json& method : results["methods"]) {
    const std::string shown = shown_prompt_html(method);
    if (shown.empty()) continue;
    html += concat("<details><summary>", html_of(method, "name"), "</summary>\n", shown, "</details>\n");
  }
  return html.empty() ? "" : "<p>A test row as each of the prompted methods puts it to its model.</p>\n" + html;
}

std::string duplicates_text(const Json& results) {
  std::string html;
  for (const Json& one : results["duplicates"]) {
    if (one["between"][0] == one["between"][1]) continue;
    html += concat("<p class=\"notice\">", html_of(one, "message"), "</p>\n");
  }
  return html.empty() ? "<p>No text of a test row occurs among the other rows.</p>\n" : html;
}

std::string test_set_section(const Json& results) {
  const Json& opening = results["opening"];
  std::string html = opening_html(results);
  HtmlTable table{.header = {"when", "by", "folder"}, .rows = {}, .figures = false};
  for (const Json& one : opening["by"])
    table.rows.push_back({html_of(one, "time"), html_of(one, "by"), html_of(one, "output_dir")});
  if (!table.rows.empty()) html += html_table(table);
  return concat(html, duplicates_text(results), "<p class=\"soft\">SHA-256 ", html_of(opening, "test_sha256"),
                ".</p>\n");
}

}  // namespace

std::string compare_page(const Json& results) {
  return html_page({.title = page_title(results), .header = facts_header(results), .version = "–"},
                   {{"recommendation", "Recommendation", recommendation_section(results)},
                    {"scores", "How good", scores_section(results)},
                    {"cost", "What it costs", compared_costs(results)},
                    {"pairs", "Differences", pairs_section(results)},
                    {"alone", "Right alone", alone_section(results)},
                    {"choice", "How it was chosen", choice_section(results)},
                    {"prompts", "The prompts", asked_section(results)},
                    {"test", "The test set", test_set_section(results)}});
}

}  // namespace attune::report
