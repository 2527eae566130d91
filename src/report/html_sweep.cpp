// The points of a sweep on the report page, and what they cost together.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/report/sweep.h"
#include "attune/report/units.h"
#include "html_sections.h"
#include "html_text.h"
#include "study_html.h"

namespace attune::report {

namespace {

using files::Json;

/// Of a point or of all: FLOP, time, energy and money, "" for what is not known.
std::vector<std::string> cost_cells(const Json& cost) {
  const auto text = [&](const char* key, auto&& write) {
    const Json& value = member(cost, {key});
    return value.is_number() ? write(value.get<double>()) : std::string();
  };
  return {text("flops", [](double value) { return scaled(value, "FLOP"); }),
          text("seconds", [](double value) { return format_duration(value); }),
          text("joules", [](double value) { return energy_text(value); }),
          text("money", [&](double value) { return money_text(value, value_text(member(cost, {"currency"}))); })};
}

std::vector<std::string> with_cost(std::vector<std::string> row, const Json& cost) {
  for (const std::string& cell : cost_cells(cost)) row.push_back(escape_html(cell));
  return row;
}

std::vector<std::string> point_row(const Json& point, const std::string& chosen) {
  const std::string name = value_text(point["name"]);
  std::vector<std::string> row = {name == chosen ? "<b>" + name + "</b>" : name,
                                  escape_html(join(point["settings"].get<std::vector<std::string>>(), ", "))};
  row.push_back(point.contains("failed") ? "diverged"
                                         : with_interval(member(point, {"value"}), member(point, {"interval"})));
  return with_cost(std::move(row), member(point, {"cost"}));
}

/// Without the columns from `first` on in which nothing stands.
void drop_empty_columns(HtmlTable& table, std::size_t first) {
  for (std::size_t column = table.header.size(); column-- > first;) {
    const auto is_empty = [&](const std::vector<std::string>& row) { return row[column].empty(); };
    if (!std::ranges::all_of(table.rows, is_empty)) continue;
    const auto drop = [&](std::vector<std::string>& row) {
      row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
    };
    drop(table.header);
    std::ranges::for_each(table.rows, drop);
  }
}

}  // namespace

std::string sweep_cost_text(const Json& results) {
  const Json& cost = member(results, {"cost"});
  std::vector<std::string> parts;
  for (const std::string& part : cost_cells(cost)) {
    if (!part.empty()) parts.push_back(part);
  }
  std::string text =
      concat(counted(static_cast<std::int64_t>(results["points"].size()), "point"), ": ", join(parts, ", "));
  if (const Json& frozen = member(cost, {"flops_frozen"}); frozen.is_number()) {
    text += concat("; ", scaled(frozen.get<double>(), "FLOP"),
                   " of it in frozen layers, which the first point to read a text pays for all");
  }
  if (const Json& unknown = member(cost, {"unknown"}); unknown.is_number()) {
    text += concat("; of ", counted(unknown.get<std::int64_t>(), "point"), " that diverged the time alone");
  }
  return text;
}

std::string sweep_section(const Json& summary) {
  const Json& sweep = member(summary, {"sweep"});
  if (!sweep.is_object()) return "";
  const std::string chosen = value_text(sweep["chosen"]), metric = escape_html(value_text(sweep["metric"])),
                    rows = value_text(sweep["measured_on"]);
  HtmlTable table{.header = {"point", "settings", concat(metric, " of the ", rows), "FLOP", "time", "energy", "money"},
                  .rows = {},
                  .text_columns = 2};
  for (const Json& point : sweep["points"]) table.rows.push_back(point_row(point, chosen));
  table.rows.push_back(with_cost({"all", "", ""}, member(sweep, {"cost"})));
  drop_empty_columns(table, 3);
  return concat("<p>This folder holds ", chosen, ", the best of ", sweep["points"].size(), " by ", metric, " of the ",
                rows,
                ". Since it was chosen by them, its value on these rows is flattering. What follows under "
                "<em>Cost</em> is its own.</p>\n",
                html_table(table), "<p class=\"soft\">", escape_html(sweep_cost_text(sweep)), ".</p>\n");
}

}  // namespace attune::report
