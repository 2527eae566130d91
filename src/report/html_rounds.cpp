// Self-training on the report page: who labelled how many rows, and how far that can be trusted.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/strings.h"
#include "charts.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

double count_in(const Json& object, const char* key) {
  return number_or(member(object, {key}), 0);
}

std::string share_or_dash(const Json& share) {
  return share.is_number() ? percent(share.get<double>()) : "–";
}

std::string count_and_share(double count, double of) {
  return concat(count_text(count), of > 0 ? concat("<small class=\"soft\">", percent(count / of), "</small>") : "");
}

/// How often labels like these are right, which is what a reader has to know first: of the validation rows that the
/// wordings agree on, of all of them, and how many are agreed on.
std::vector<std::string> judged_cells(const Json& judged) {
  if (!judged.is_object()) return {"–", "–", "–"};
  return {share_or_dash(member(judged, {"accuracy"})), share_or_dash(member(judged, {"accuracy_of_all"})),
          count_and_share(count_in(judged, "agreed"), count_in(judged, "rows"))};
}

std::vector<std::string> round_row(const Json& round, bool is_judged) {
  const bool is_untouched = member(round, {"teacher"}) == Json("untouched");
  std::vector<std::string> row = {
      value_text(member(round, {"round"})),
      is_untouched ? "the untouched base" : concat("tuned on ", count_text(count_in(round, "trained_rows")), " rows")};
  if (is_judged) {
    for (std::string& cell : judged_cells(member(round, {"validation"}))) row.push_back(std::move(cell));
  }
  for (std::string cell : {count_text(count_in(round, "unlabelled")),
                           count_and_share(count_in(round, "agreed"), count_in(round, "unlabelled")),
                           count_text(count_in(round, "taken")), share_or_dash(member(round, {"mean_agreement"}))})
    row.push_back(std::move(cell));
  return row;
}

std::string rounds_table(const Json& rounds) {
  HtmlTable table{.header = {"round", "asked"}, .rows = {}, .text_columns = 2, .is_wide = true};
  const bool is_judged = rounds[0].contains("validation");
  if (is_judged)
    table.header.insert(table.header.end(), {"right where agreed", "right of all", "validation rows agreed on"});
  table.header.insert(table.header.end(), {"unlabelled rows", "agreed on", "taken", "mean agreement"});
  for (const Json& round : rounds) table.rows.push_back(round_row(round, is_judged));
  const std::string note =
      is_judged ? "<p class=\"soft\">Right where agreed: of the validation rows that the wordings agree on the share "
                  "whose label is right, "
                  "which the labels taken come near. Right of all: the same of all validation rows.</p>\n"
                : "";
  return html_table(table) + note;
}

std::string taken_bars(const Json& by_label) {
  if (!by_label.is_object() || by_label.empty()) return "";
  std::vector<Bar> bars;
  double most = 0;
  for (const auto& [label, rows] : by_label.items()) {
    bars.push_back({label, number_or(rows, 0), count_text(number_or(rows, 0))});
    most = std::max(most, bars.back().value);
  }
  std::ranges::stable_sort(bars, [](const Bar& a, const Bar& b) { return a.value > b.value; });
  return "<h3>Rows that the last round took, by the label they got</h3>\n<div class=\"scroll\">" +
         bar_list(bars, most, "Taken rows by label") + "</div>\n";
}

/// "Left out: 12 with the text of a test row, …".
std::string left_out_text(const Json& left_out) {
  if (!left_out.is_object() || left_out.empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [name, rows] : left_out.items()) {
    parts.push_back(concat(count_text(number_or(rows, 0)),
                           name == "repeated" ? " that repeat another" : concat(" with the text of a ", name, " row")));
  }
  return concat("<p>Of the unlabelled rows these were left out: ", escape_html(join(parts, ", ")), ".</p>\n");
}

}  // namespace

std::string rounds_section(const Json& summary) {
  const Json& rounds = member(summary, {"self_training"});
  if (!rounds.is_array() || rounds.empty()) return "";
  const std::string wordings = value_text(member(summary, {"data", "train_wordings"}));
  std::string html =
      concat("<p>Beside its labelled rows the model was trained on rows on whose label enough of ", escape_html(wordings),
             " wordings agreed (tuning.self_training.min_agreement). These labels are the model's own: how often they are right shows in the "
             "validation rows, treated alike.</p>\n");
  return html + rounds_table(rounds) + left_out_text(member(summary, {"data", "unlabelled", "left_out"})) +
         taken_bars(member(rounds[rounds.size() - 1], {"taken_by_label"}));
}

}  // namespace attune::report
