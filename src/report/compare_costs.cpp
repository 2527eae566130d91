// What compared methods cost, and what of it is known everywhere on their page. See compare_parts.h.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/base/clock.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/report/units.h"
#include "compare_charts.h"
#include "compare_parts.h"
#include "html_text.h"

namespace attune::report {

using files::Json;

std::string html_of(const Json& object, const char* key) {
  return escape_html(value_text(member(object, {key})));
}

bool is_recommended(const Json& results, const Json& method) {
  return method["name"] == results["recommendation"]["method"];
}

std::optional<Point> interval_of(const Json& interval) {
  if (!has_width(interval)) return std::nullopt;
  return Point{interval[0].get<double>(), interval[1].get<double>()};
}

namespace {

struct CostColumn {
  const char* title;
  std::string (*cell)(const Json& method, const Json& results);
};

std::string count_cell(const Json& value) {
  return value.is_number() ? count_text(value.get<double>()) : "–";
}

std::string time_cell(const Json& value) {
  if (!value.is_number()) return "–";
  const double seconds = value.get<double>();
  return seconds < 100 ? print_number("%.3g s", seconds) : format_duration(seconds);
}

std::string money_cell(const Json& value, const Json& method) {
  if (!value.is_number()) return "–";
  return escape_html(money_text(value.get<double>(), value_text(member(method, {"cost", "answering", "currency"}))));
}

constexpr CostColumn kCostColumns[] = {
    {"learning",
     [](const Json& method, const Json&) { return time_cell(member(method, {"cost", "learning", "seconds"})); }},
    {"1000 answers",
     [](const Json& method, const Json&) { return time_cell(member(method, {"cost", "per_1000", "seconds"})); }},
    {"tokens for 1000",
     [](const Json& method, const Json&) { return count_cell(member(method, {"cost", "per_1000", "tokens"})); }},
    {"energy for 1000",
     [](const Json& method, const Json&) {
       const Json& joules = member(method, {"cost", "per_1000", "joules"});
       return joules.is_number() ? energy_text(joules.get<double>()) : std::string("–");
     }},
    {"money for 1000",
     [](const Json& method, const Json&) { return money_cell(member(method, {"cost", "per_1000", "money"}), method); }},
    {"parameters trained",
     [](const Json& method, const Json&) { return count_cell(member(method, {"cost", "trained_parameters"})); }},
    {"memory",
     [](const Json& method, const Json&) {
       const double most = std::max(number_or(member(method, {"cost", "learning", "peak_memory"}), 0),
                                    number_or(member(method, {"cost", "answering", "peak_memory"}), 0));
       return most > 0 ? scaled(most, "B") : std::string("–");
     }},
    {"in all", [](const Json& method, const Json& results) {
       const Json& use = member(method, {"cost", "use"});
       return results["cost_unit"] == "s" ? time_cell(member(use, {"seconds"}))
                                          : money_cell(member(use, {"money"}), method);
     }}};

/// The columns of which something is known.
std::string cost_table(const Json& results) {
  HtmlTable table{.header = {"method"}, .rows = {}};
  for (const Json& method : results["methods"]) table.rows.push_back({html_of(method, "name")});
  for (const CostColumn& column : kCostColumns) {
    std::vector<std::string> cells;
    for (const Json& method : results["methods"]) cells.push_back(column.cell(method, results));
    if (std::ranges::all_of(cells, [](const std::string& cell) { return cell == "–"; })) continue;
    table.header.emplace_back(column.title);
    for (std::size_t i = 0; i < cells.size(); ++i) table.rows[i].push_back(cells[i]);
  }
  return html_table(table);
}

}  // namespace

std::string compared_costs(const Json& results) {
  const bool in_money = results["cost_unit"] != "s";
  std::vector<CostPoint> points;
  for (const Json& method : results["methods"]) {
    const double cost = number_or(member(method, {"cost", "use", in_money ? "money" : "seconds"}), 0);
    if (cost <= 0) continue;
    points.push_back({.label = method["name"].get<std::string>(),
                      .cost = cost,
                      .value = method["accuracy"]["value"].get<double>(),
                      .interval = interval_of(method["accuracy"]["interval"]),
                      .is_chosen = is_recommended(results, method)});
  }
  const std::string count = count_text(results["predictions"].get<double>());
  const std::string unit = in_money ? results["cost_unit"].get<std::string>() : "seconds";
  return concat("<div class=\"scroll\">",
                cost_chart(points, concat(unit, " for learning once and ", count, " answers"), "accuracy"), "</div>\n",
                cost_table(results), "<p class=\"soft\">In all: learning once and answering ", count,
                " rows (compare.predictions). Choosing among candidates is not in it. Memory is the most that the "
                "process had while the "
                "method worked. What frozen layers give is computed once for all seeds of a method; learning is that "
                "of the seed that "
                "took longest.</p>\n");
}

}  // namespace attune::report
