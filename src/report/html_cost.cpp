// What the run cost, on the report page.
#include <array>
#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/strings.h"
#include "attune/report/units.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

/// Training, evaluation and the whole run, with the columns that the run knows something about.
std::string work_table(const Json& cost) {
  struct Column {
    const char* key;
    const char* title;
    std::string (*text)(const Json& value, const Json& cost);
  };
  static constexpr std::array columns = {
      Column{"tokens", "tokens", [](const Json& value, const Json&) { return count_text(value.get<double>()); }},
      Column{"flops", "FLOP", [](const Json& value, const Json&) { return scaled(value.get<double>(), "FLOP"); }},
      Column{"seconds", "time", [](const Json& value, const Json&) { return format_duration(value.get<double>()); }},
      Column{"joules", "energy", [](const Json& value, const Json&) { return energy_text(value.get<double>()); }},
      Column{"money", "money", [](const Json& value, const Json& all) {
               return escape_html(money_text(value.get<double>(), value_text(member(all, {"currency"}))));
             }}};
  HtmlTable table{.header = {""}, .rows = {}};
  const std::array rows = {std::pair{"training", "training"}, std::pair{"evaluation", "evaluation"}, std::pair{"run", "the whole run"}};
  const auto known = [&](const char* key) {
    for (const auto& [part, title] : rows) {
      if (member(cost, {part, key}).is_number()) return true;
    }
    return false;
  };
  for (const Column& column : columns) {
    if (known(column.key)) table.header.emplace_back(column.title);
  }
  for (const auto& [part, title] : rows) {
    if (!member(cost, {part}).is_object()) continue;
    std::vector<std::string> row = {title};
    for (const Column& column : columns) {
      const Json& value = member(cost, {part, column.key});
      if (known(column.key)) row.push_back(value.is_number() ? column.text(value, cost) : "");
    }
    table.rows.push_back(std::move(row));
  }
  return html_table(table);
}

std::string parts_table(const Json& training) {
  HtmlTable table{.header = {}, .rows = {}};
  for (const auto& [key, label] :
       {std::pair{"flops_forward", "forward"}, {"flops_backward", "backward"}, {"flops_frozen", "frozen layers, once a text"},
        {"flops_recomputed", "run again to save memory, not counted above"}}) {
    const double flops = number_or(member(training, {key}), 0);
    if (flops > 0) table.rows.push_back({label, scaled(flops, "FLOP")});
  }
  if (const Json& supervised = member(training, {"supervised"}); supervised.is_number()) {
    table.rows.push_back({"tokens or rows that were learned from", count_text(supervised.get<double>())});
  }
  return table.rows.empty() ? "" : "<h3>What training computed</h3>\n" + html_table(table);
}

std::string share_text(const Json& cost) {
  const Json &share = member(cost, {"share_of_matrix_rate"}), &rate = member(cost, {"matrix_rate", "flops_per_second"});
  if (!share.is_number() || !rate.is_number()) return "";
  const std::string size = value_text(member(cost, {"matrix_rate", "size"}));
  return concat("<p>The training steps reached <b>", percent(share.get<double>()), "</b> of the ",
                scaled(rate.get<double>(), "FLOP"), " a second at which this machine multiplied ", escape_html(size), " × ",
                escape_html(size), " matrices in ", escape_html(value_text(member(cost, {"matrix_rate", "precision"}))),
                " right after the run.</p>\n");
}

}  // namespace

std::string cost_section(const Json& summary) {
  const Json& cost = member(summary, {"cost"});
  if (!cost.is_object()) return "";
  std::string html = share_text(cost) + work_table(cost) + parts_table(member(cost, {"training"}));
  std::vector<std::string> notes;
  if (const Json& memory = member(cost, {"run", "peak_memory"}); memory.is_number()) {
    notes.push_back("Memory: at most " + scaled(memory.get<double>(), "B"));
    const Json& of_gpu = member(summary, {"gpu_memory_peak"});
    if (of_gpu.is_number()) notes.back() += concat(", ", scaled(of_gpu.get<double>(), "B"), " on the GPU");
    notes.back() += ".";
  }
  if (const Json& sources = member(cost, {"energy", "sources"}); sources.is_array() && !sources.empty()) {
    notes.push_back("Energy is that of " + escape_html(value_text(sources)) + ", whoever used it meanwhile.");
  }
  if (const Json& missing = member(cost, {"energy", "missing"}); missing.is_string()) {
    notes.push_back("Energy that is not known: " + escape_html(missing.get<std::string>()) + ".");
  }
  if (const Json& missing = member(cost, {"money_missing"}); missing.is_string()) {
    notes.push_back("No money is given: " + escape_html(missing.get<std::string>()) + ".");
  }
  notes.emplace_back("FLOP are those of matrix products and attention over real tokens, counted by formula; generated texts are not in them.");
  return html + "<p class=\"soft\">" + join(notes, " ") + "</p>\n";
}

}  // namespace attune::report
