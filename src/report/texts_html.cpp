// See texts_html.h.
#include "texts_html.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/strings.h"
#include "attune/report/openings.h"
#include "attune/report/scored_rows.h"
#include "html_page.h"
#include "html_sections.h"
#include "html_text.h"
#include "prompt_parts.h"
#include "study_html.h"

namespace attune::report {

namespace {

using files::Json;

constexpr std::size_t kWordingsWithTexts = 10;

bool has_scores(const Json& results) {
  return results["wordings"].front().contains("metrics");
}

std::string name_html(const Json& named) {
  return escape_html(named["name"].get<std::string>());
}

std::string scores_lead(const Json& results) {
  const Json& wordings = results["wordings"];
  const auto rouge = [](const Json& wording) { return number_or(wording["metrics"]["rougeL"], 0); };
  const auto [worst, best] = std::ranges::minmax_element(wordings, {}, rouge);
  std::string text = concat("By ROUGE-L the texts of the ", wordings.size() == 1 ? "wording" : "best wording",
                            " come to <b>", metric_text(rouge(*best)), "</b>");
  if (wordings.size() > 1)
    text += concat(" (", name_html(*best), "), those of the worst to ", metric_text(rouge(*worst)),
                   ": the model is the same, only the question differs");
  return text + ". ";
}

std::string assertions_lead(const Json& results) {
  const Json *weakest = nullptr, *of_wording = nullptr;
  for (const Json& wording : results["wordings"]) {
    for (const Json& assertion : member(wording, {"assertions"})) {
      if (weakest != nullptr && (*weakest)["rate"].get<double>() <= assertion["rate"].get<double>()) continue;
      weakest = &assertion;
      of_wording = &wording;
    }
  }
  if (weakest == nullptr) return "";
  std::string text =
      (*weakest)["failed"] == 0
          ? std::string("Every text keeps all assertions.")
          : concat("The assertion that is kept least, ", name_html(*weakest), ", holds for <b>",
                   percent((*weakest)["rate"].get<double>()), "</b> of the texts",
                   results["wordings"].size() > 1 ? concat(" of ", name_html(*of_wording)) : std::string(), ".");
  const Json& bound = member(results, {"gate", "min_assertion_rate"});
  if (bound.is_number()) {
    text += concat(" The gate of ", percent(bound.get<double>()),
                   results["gate"]["passed"].get<bool>() ? " is kept." : " is <b>not kept</b>.");
  }
  return text;
}

/// First what variants were compared by, where they were.
std::vector<std::string> shown_metrics(const Json& results) {
  std::vector<std::string> shown = {"rougeL", "bleu", "chrf", "exact_match", "f1"};
  const Json& main = member(results, {"metric"});
  if (!main.is_string() || main == "all_assertions") return shown;
  std::erase(shown, main.get<std::string>());
  shown.insert(shown.begin(), main.get<std::string>());
  return shown;
}

std::string texts_table(const Json& results) {
  HtmlTable table{.header = {"wording"}, .rows = {}, .is_wide = true};
  const bool scored = has_scores(results), asserted = member(results["wordings"].front(), {"assertions"}).is_array();
  const std::vector<std::string> metrics = shown_metrics(results);
  if (asserted) table.header.emplace_back("all assertions");
  if (scored) {
    for (const std::string& metric : metrics)
      table.header.push_back(metric_label(metric, results["wordings"].front()["metrics"]));
  }
  const bool timed = results["wordings"].front().contains("seconds");
  if (timed) table.header.insert(table.header.end(), {"tokens computed", "time"});
  for (const Json& wording : results["wordings"]) {
    std::vector<std::string> row = {name_html(wording)};
    if (asserted) row.push_back(percent(wording["all_assertions"].get<double>()));
    for (const std::string& metric : metrics) {
      if (scored)
        row.push_back(with_interval(member(wording, {"metrics", metric.c_str()}),
                                    member(wording, {"intervals", metric.c_str()})));
    }
    if (timed) {
      row.push_back(count_text(wording["computed_tokens"].get<double>()));
      row.push_back(concat(metric_text(wording["seconds"].get<double>()), " s"));
    }
    table.rows.push_back(std::move(row));
  }
  return html_table(table);
}

std::string failures_table(const Json& assertion) {
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">row</th><th scope=\"col\">text</th><th "
      "scope=\"col\">why it "
      "fails</th></tr></thead><tbody>";
  for (const Json& one : assertion["first"]) {
    html += concat("<tr><td class=\"soft\">", escape_html(value_text(one["id"])), "</td><td>",
                   escape_html(one["text"].get<std::string>()), "</td><td>", escape_html(one["why"].get<std::string>()),
                   "</td></tr>\n");
  }
  return html + "</tbody></table></div>\n";
}

std::string assertions_section(const Json& results) {
  if (!member(results["wordings"].front(), {"assertions"}).is_array()) return "";
  HtmlTable table{.header = {"wording", "assertion", "texts that keep it", "failed"},
                  .rows = {},
                  .figures = true,
                  .text_columns = 2};
  std::string failures;
  for (const Json& wording : results["wordings"]) {
    for (const Json& assertion : wording["assertions"]) {
      const Json& interval = assertion["interval"];
      table.rows.push_back(
          {name_html(wording), name_html(assertion),
           concat(percent(assertion["rate"].get<double>()), "<small class=\"soft\">[",
                  percent(interval[0].get<double>()), ", ", percent(interval[1].get<double>()), "]</small>"),
           count_text(assertion["failed"].get<double>())});
      if (assertion["first"].empty()) continue;
      failures += concat("<h3>", name_html(wording), ": ", name_html(assertion), "</h3>\n", failures_table(assertion));
    }
  }
  return concat("<p>Shares of the texts with 95\u00a0% intervals.</p>\n", html_table(table),
                failures.empty() ? "" : "<p>The first texts that fail:</p>\n", failures);
}

std::string texts_section(const Json& results) {
  std::string html;
  std::size_t shown = 0;
  const bool several = results["wordings"].size() > 1;
  for (const Json& wording : results["wordings"]) {
    const Json& samples = member(wording, {"samples"});
    if (!samples.is_object() || ++shown > kWordingsWithTexts) continue;
    const std::string label = metric_label(value_text(samples["metric"]), wording["metrics"]);
    html += concat(several ? concat("<h2>", name_html(wording), "</h2>\n") : std::string(),
                   samples_html(samples, label, results["split"].get<std::string>()));
  }
  return html;
}

}  // namespace

std::string tested_texts(const Json& results) {
  Json wordings = Json::array();
  for (const auto& [name, found] : results["test"].items()) {
    Json one = found;
    one["name"] = name;
    const Json& all = member(found, {"metrics", "all_assertions"});
    if (all.is_number()) one["all_assertions"] = all;
    if (!member(found, {"metrics", "rougeL"}).is_number()) one.erase("metrics");
    wordings.push_back(std::move(one));
  }
  const std::string rested = scored_test_rows_text(results, wordings.front(), count_text);
  const Json tested = {{"wordings", std::move(wordings)}, {"split", "test"}, {"metric", results["metric"]}};
  return concat("<p>The test rows had no part in the choice", rested.empty() ? "" : "; " + rested, ".</p>\n",
                texts_table(tested), assertions_section(tested), texts_section(tested));
}

std::string texts_page(const Json& results) {
  const std::string split = results["split"].get<std::string>();
  const std::string rows =
      concat("<p class=\"soft\">", count_text(results["rows"].get<double>()), " ", split, " rows",
             scored_rows_note(results), "</p>\n", shared_texts_notice(results), opening_html(results));
  const std::string scores = has_scores(results) ? scores_lead(results) : "";
  const std::string strips = has_scores(results) ? wording_strips(results, "rougeL") : "";
  return html_page({.title = page_title(results), .header = rows, .version = "–"},
                   {{"results", "Wordings",
                     lead(scores + assertions_lead(results)) + texts_table(results) + intervals_note(results) + strips},
                    {"assertions", "Assertions", assertions_section(results)},
                    {"texts", "Texts", texts_section(results)},
                    {"prompt", "The prompt", shown_prompt_html(results["wordings"].front())},
                    {"work", "Work", work_text(results)}});
}

}  // namespace attune::report
