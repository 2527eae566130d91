// See prompt_html.h.
#include "attune/report/prompt_html.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/strings.h"
#include "attune/report/openings.h"
#include "charts.h"
#include "html_page.h"
#include "html_text.h"
#include "prompt_parts.h"
#include "study_html.h"
#include "text_study_html.h"
#include "texts_html.h"

namespace attune::report {

namespace {

using files::Json;

std::string rows_text(const Json& results, const std::string& split) {
  const Json& majority = results["majority"];
  return concat("<p class=\"soft\">", count_text(results["rows"].get<double>()), " ", split, " rows",
                majority.is_number() ? " · always the most frequent label: " + figure(majority) : "",
                scored_rows_note(results), "</p>\n");
}

/// Of labels that were read from generated texts; "" where every text names one.
std::string no_answer_text(const Json& results) {
  double without = 0;
  for (const Json& wording : results["wordings"]) without += number_or(member(wording, {"without_answer"}), 0);
  return without == 0 ? ""
                      : concat("<p>", count_text(without), " generated texts name no label and count as wrong.</p>\n");
}

/// What stands below the title.
std::string page_header(const Json& results, const std::string& split) {
  return rows_text(results, split) + shared_texts_notice(results) + opening_html(results);
}

const Json& named(const Json& wordings, const std::string& name) {
  return *std::ranges::find_if(wordings, [&](const Json& one) { return one["name"] == name; });
}

double accuracy_of(const Json& wording) {
  return wording["metrics"]["accuracy"].get<double>();
}

const Json& best_wording(const Json& results) {
  return *std::ranges::max_element(results["wordings"], {}, accuracy_of);
}

std::string prompt_lead(const Json& results) {
  const Json& wordings = results["wordings"];
  const Json& best = best_wording(results);
  std::string text = concat("The best of ", wordings.size(), wordings.size() == 1 ? " wording" : " wordings",
                            " is right on <b>", percent(accuracy_of(best)), "</b> of the rows");
  if (wordings.size() > 1) {
    const double worst = accuracy_of(*std::ranges::min_element(wordings, {}, accuracy_of));
    text += concat(", the worst on ", percent(worst), ": the model is the same, only the question differs");
  }
  text += ".";
  if (wordings.size() > 1 && results["split"] == "test")
    text += " <b>Chosen by these test rows, the best is flattered.</b>";
  const Json& majority = results["majority"];
  const Json& interval = member(best, {"intervals", "accuracy"});
  if (majority.is_number() && interval.is_array() && interval[0].get<double>() <= majority.get<double>()) {
    text += " <b>That is no clear gain over always giving the most frequent label.</b>";
  }
  return lead(text);
}

std::string prompt_table(const Json& results) {
  HtmlTable table{.header = {"wording", "accuracy", "F1, macro", "loss", "tokens computed", "time"}, .rows = {}};
  for (const Json& wording : results["wordings"]) {
    const Json& metrics = wording["metrics"];
    table.rows.push_back({escape_html(wording["name"].get<std::string>()),
                          with_interval(member(metrics, {"accuracy"}), member(wording, {"intervals", "accuracy"})),
                          figure(member(metrics, {"f1"})), figure(member(metrics, {"loss"})),
                          count_text(wording["computed_tokens"].get<double>()),
                          concat(metric_text(wording["seconds"].get<double>()), " s")});
  }
  return html_table(table);
}

std::string stability_lead(const Json& results) {
  if (is_of_texts(results)) return text_stability_lead(results);
  const Json& spread = results["spread"];
  std::string text = concat("The same model on the same rows is right on ", percent(spread["lowest"].get<double>()),
                            " to <b>", percent(spread["highest"].get<double>()), "</b>, depending on how it is asked (",
                            results["variants"].size(), " variants). Two variants give a row different labels in <b>",
                            percent(results["flip_rate"].get<double>()), "</b> of all cases.");
  return lead(text + flip_gate_text(results));
}

std::string factors_section(const Json& results) {
  std::vector<Bar> bars;
  for (const auto& [factor, found] : results["shares"].items()) {
    const Json& share = factor == "remainder" ? found : found["share"];
    if (!share.is_number()) continue;
    const Json& chance = member(found, {"chance"});
    bars.push_back({.label = factor == "remainder" ? "in combination" : factor,
                    .value = share.get<double>(),
                    .text = percent(share.get<double>()) +
                            (chance.is_number() ? concat(" (by chance ", percent(chance.get<double>()), ")") : "")});
  }
  const std::string metric = metric_name(results);
  if (bars.empty()) return concat("<p>All variants have the same ", metric, ".</p>\n");
  std::string html = concat(
      "<p>Shares of the variance of ", metric,
      " over all variants. A share is more than chance where it is clearly above what levels that mean nothing would "
      "get. In combination: what no factor explains by itself, such as a wording that is good with one choice of "
      "examples and bad with another.</p>\n<div class=\"scroll\">",
      bar_list(bars, 1, "Shares of the variance by factor"), "</div>\n");
  HtmlTable table{.header = {"factor", "level", metric}, .rows = {}, .figures = true, .text_columns = 2};
  for (const auto& [factor, found] : results["shares"].items()) {
    if (factor == "remainder") continue;
    for (const auto& [level, mean] : found["means"].items()) {
      table.rows.push_back({escape_html(factor), escape_html(level), figure(mean)});
    }
  }
  return html + html_table(table);
}

std::string stability_wordings(const Json& results) {
  const bool are_texts = is_of_texts(results);
  const std::string key = metric_key(results);
  HtmlTable table{
      .header = {"wording", metric_name(results), "lowest", "highest", are_texts ? "change of a row" : "flip rate"},
      .rows = {}};
  for (const Json& wording : results["wordings"]) {
    table.rows.push_back({escape_html(wording["name"].get<std::string>()), figure(wording[key]),
                          figure(wording["lowest"]), figure(wording["highest"]),
                          are_texts ? figure(wording["row_sd"]) : percent(wording["flip_rate"].get<double>())});
  }
  const std::string best = results["best"].get<std::string>(), steadiest = results["steadiest"].get<std::string>();
  return concat("<p>Best: <b>", escape_html(best), "</b> (", figure(named(results["wordings"], best)[key]),
                " on the rows that chose it, which flatters it). Steadiest: <b>", escape_html(steadiest), "</b>.</p>\n",
                html_table(table));
}

std::string test_section(const Json& results) {
  if (!results.contains("test")) return "";
  if (is_of_texts(results)) return tested_texts(results);
  HtmlTable table{.header = {"wording", "accuracy", "F1, macro", "loss"}, .rows = {}};
  for (const auto& [name, found] : results["test"].items()) {
    table.rows.push_back(
        {escape_html(name),
         with_interval(member(found, {"metrics", "accuracy"}), member(found, {"intervals", "accuracy"})),
         figure(member(found, {"metrics", "f1"})), figure(member(found, {"metrics", "loss"}))});
  }
  return "<p>The test rows had no part in the choice.</p>\n" + html_table(table);
}

std::string fragile_section(const Json& results) {
  if (results["fragile"].empty()) return "";
  if (is_of_texts(results)) return fragile_texts(results);
  HtmlTable table{.header = {"row", "flip rate", "labels (variants)"}, .rows = {}, .figures = false};
  for (const Json& row : results["fragile"]) {
    std::vector<std::string> labels;
    for (const auto& [label, variants] : row["labels"].items())
      labels.push_back(concat(escape_html(label), " ", variants.dump()));
    table.rows.push_back({row_html(row), percent(row["flip_rate"].get<double>()), join(labels, ", ")});
  }
  return "<p>Rows whose label depends most on how one asks.</p>\n" + html_table(table);
}

std::string chosen_lead(const Json& results) {
  const Json& chosen = results["chosen"];
  const std::string key = metric_key(results);
  std::string text = concat("Of ", results["candidates"].get<std::int64_t>(), " ways to ask <b>",
                            escape_html(chosen["name"].get<std::string>()), "</b> is left, with ", metric_name(results),
                            " ", score_text(results, chosen[key]), " on the ", count_text(chosen["rows"].get<double>()),
                            " rows that chose it, which flatters it");
  if (results.contains("test"))
    text += concat(", and <b>", score_text(results, member(results, {"test", "metrics", key.c_str()})),
                   "</b> on the test rows, which had no part in the choice");
  return lead(concat(text, ". ", count_text(results["questions"].get<double>()),
                     " rows were asked; all of them in every way would have been ",
                     count_text(results["candidates"].get<double>() * results["rows"].get<double>()), "."));
}

std::string rounds_section(const Json& results) {
  std::string html;
  std::size_t number = 0;
  for (const Json& round : results["rounds"]) {
    HtmlTable table{.header = {"candidate", metric_name(results)}, .rows = {}};
    if (!is_of_texts(results)) table.header.emplace_back("loss");
    const std::size_t kept = round["kept"].get<std::size_t>();
    for (const Json& one : round["candidates"]) {
      if (table.rows.size() == std::max<std::size_t>(kept, 10)) break;
      const std::string name = escape_html(one["name"].get<std::string>());
      std::vector<std::string> row = {table.rows.size() < kept ? "<b>" + name + "</b>" : name,
                                      figure(one[metric_key(results)])};
      if (!is_of_texts(results)) row.push_back(figure(one["loss"]));
      table.rows.push_back(std::move(row));
    }
    const std::size_t all = round["candidates"].size();
    const std::string shown = table.rows.size() < all ? concat(" Shown are the best ", table.rows.size(), ".") : "";
    html += concat("<h3>Round ", ++number, "</h3>\n<p>", all, " candidates on ", count_text(round["rows"].get<double>()),
                   " rows; those in bold went on.", shown, "</p>\n", html_table(table));
  }
  return html;
}

}  // namespace

std::string prompt_page(const Json& results) {
  if (results["answer"] == "text") return texts_page(results);
  return html_page(
      {.title = page_title(results),
       .header = page_header(results, results["split"].get<std::string>()),
       .version = "–"},
      {{"results", "Wordings",
        prompt_lead(results) + prompt_table(results) + no_answer_text(results) + intervals_note(results) +
            wording_strips(results, "accuracy")},
       {"prompt", "The prompt", shown_prompt_html(best_wording(results))},
       {"work", "Work", work_text(results)}});
}

std::string stability_page(const Json& results) {
  return html_page({.title = page_title(results), .header = page_header(results, "validation"), .version = "–"},
                   {{"results", "Stability", stability_lead(results)},
                    {"factors", "What it depends on", factors_section(results)},
                    {"wordings", "Wordings", stability_wordings(results)},
                    {"prompt", "The prompt", shown_prompt_html(results)},
                    {"test", "Test rows", test_section(results)},
                    {"fragile", "Fragile rows", fragile_section(results)}});
}

std::string optimise_page(const Json& results) {
  Json test = results;
  if (results.contains("test")) test["test"] = {{results["chosen"]["name"].get<std::string>(), results["test"]}};
  return html_page({.title = page_title(results), .header = page_header(results, "validation"), .version = "–"},
                   {{"results", "The choice", chosen_lead(results)},
                    {"prompt", "The prompt", shown_prompt_html(results)},
                    {"test", "Test rows", test_section(test)},
                    {"rounds", "Rounds", rounds_section(results)}});
}

}  // namespace attune::report
