// Generated texts of the report page: what the model wrote where it did best and worst.
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

std::string text_in(const Json& row, const char* key) {
  const Json& value = member(row, {key});
  return value.is_string() ? escape_html(value.get<std::string>()) : "–";
}

/// Rows [begin, end) as a table.
std::string samples_table(const Json& rows, std::size_t begin, std::size_t end, const std::string& score_label) {
  std::string html = concat("<div class=\"scroll\"><table class=\"texts\"><thead><tr><th scope=\"col\">asked</th><th scope=\"col\">generated</th>"
                            "<th scope=\"col\">reference</th><th scope=\"col\">", escape_html(score_label), "</th></tr></thead><tbody>");
  for (std::size_t i = begin; i < end; ++i) {
    const Json& score = member(rows[i], {"score"});
    html += concat("<tr><td class=\"soft\">", text_in(rows[i], "prompt"), "</td><td>", text_in(rows[i], "generated"), "</td><td>",
                   text_in(rows[i], "reference"), "</td><td>", score.is_number() ? metric_text(score.get<double>()) : "–", "</td></tr>\n");
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string samples_section(const Json& summary) {
  const MainSplit split = main_split(summary);
  if (split.samples == nullptr) return "";
  return samples_html(*split.samples, metric_label(value_text(member(*split.samples, {"metric"})), *split.metrics), split.name);
}

std::string samples_html(const Json& samples, const std::string& label, const std::string& split) {
  const Json &rows = member(samples, {"rows"}), &all = member(samples, {"texts"});
  if (!rows.is_array() || rows.empty()) return "";
  const std::string shown = concat("Each row: what was asked, what the model wrote, what the ", split,
                                   " row has, and the score of this text alone.");
  if (!all.is_number() || all.get<std::size_t>() <= rows.size()) {
    return "<p>" + shown + "</p>\n" + samples_table(rows, 0, rows.size(), label);
  }
  const std::size_t best = (rows.size() + 1) / 2;
  return concat("<p>The ", best, " best and the ", rows.size() - best, " worst of ", count_text(all.get<double>()), " texts by ",
                escape_html(label), ". ", shown, "</p>\n<h3>Best</h3>\n", samples_table(rows, 0, best, label), "<h3>Worst</h3>\n",
                samples_table(rows, best, rows.size(), label));
}

}  // namespace attune::report
