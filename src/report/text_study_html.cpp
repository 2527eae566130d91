// See text_study_html.h.
#include "text_study_html.h"

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "html_text.h"
#include "prompt_parts.h"
#include "study_html.h"

namespace attune::report {

using files::Json;

namespace {

std::string scored_text(const Json& results, const Json& written) {
  return concat(escape_html(written["text"].get<std::string>()), " <small class=\"soft\">(",
                score_text(results, written["score"]), ")</small>");
}

}  // namespace

std::string text_stability_lead(const Json& results) {
  const Json& spread = results["spread"];
  std::string text = concat("The same model on the same rows comes to ", score_text(results, spread["lowest"]),
                            " to <b>", score_text(results, spread["highest"]), "</b> (", metric_name(results),
                            "), depending on how it is asked (", results["variants"].size(), " variants). ");
  if (results["flip_rate"].is_number()) {
    text += concat("In <b>", percent(results["flip_rate"].get<double>()),
                   "</b> of all cases one of two variants keeps all assertions on a row and the other does not; in ");
  } else {
    text += "In ";
  }
  text += concat(percent(results["differing_texts"].get<double>()), " two variants write a row different texts.");
  return lead(text + flip_gate_text(results));
}

std::string fragile_texts(const Json& results) {
  std::string html = concat("<p>Rows whose text depends most on how one asks, with ", metric_name(results),
                            " of the text alone.</p>\n<div class=\"scroll\"><table class=\"texts "
                            "fragile\"><thead><tr><th scope=\"col\">row</th><th "
                            "scope=\"col\">the worst</th><th scope=\"col\">the best</th><th scope=\"col\">different "
                            "texts</th></tr></thead><tbody>");
  for (const Json& row : results["fragile"]) {
    html += concat("<tr><td class=\"soft\">", row_html(row), "</td><td>", scored_text(results, row["lowest"]),
                   "</td><td>", scored_text(results, row["highest"]), "</td><td>",
                   count_text(row["texts"].get<double>()), "</td></tr>\n");
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace attune::report
