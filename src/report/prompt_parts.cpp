// See prompt_parts.h.
#include "prompt_parts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/report/scored_rows.h"
#include "attune/report/table.h"
#include "charts.h"
#include "html_text.h"

namespace attune::report {

using files::Json;

std::string shared_texts_notice(const Json& results) {
  std::string html;
  const Json& found = member(results, {"duplicates"});
  for (const Json& one : found.is_array() ? found : Json::array()) {
    const std::string first = value_text(one["between"][0]), second = value_text(one["between"][1]);
    if (first == second) continue;
    html += concat("<div class=\"notice\">", counted(one["rows"].get<std::int64_t>(), "text"), " of ",
                   escape_html(second), " also in ", escape_html(first),
                   first == "train" ? ": never shown as an example."
                                    : ": what is chosen by one of them looks too good on the other.",
                   "</div>\n");
  }
  return html;
}

std::string scored_rows_note(const Json& results) {
  const std::string text = scored_rows_text(results, count_text);
  return text.empty() ? "" : " · " + text;
}

bool is_of_texts(const Json& results) {
  return metric_key(results) != "accuracy";
}

std::string metric_key(const Json& results) {
  const Json& metric = member(results, {"metric"});
  return metric.is_string() ? metric.get<std::string>() : "accuracy";
}

std::string metric_name(const Json& results) {
  if (!is_of_texts(results)) return "accuracy";
  const Json beside = {{"exact_match", 0}};  // metrics of texts
  const std::string label = metric_label(metric_key(results), beside);
  return label.substr(0, label.find(", "));  // without the unit: it stands in sentences
}

std::string score_text(const Json& results, const Json& value) {
  if (!value.is_number()) return "–";
  const bool is_share = !is_of_texts(results) || metric_key(results) == "all_assertions";
  return is_share ? percent(value.get<double>()) : metric_text(value.get<double>());
}

std::string flip_gate_text(const Json& results) {
  const Json& gate = results["gate"];
  if (!gate["max_flip_rate"].is_number()) return "";
  return concat(" The gate of ", percent(gate["max_flip_rate"].get<double>()),
                gate["passed"].get<bool>() ? " is kept." : " is <b>not kept</b>.");
}

std::string row_html(const Json& row) {
  constexpr std::size_t kShownText = 160;
  const std::string id = escape_html(value_text(row["id"]));
  const Json& text = member(row, {"text"});
  if (!text.is_string()) return id;
  return concat(id, "<br>", escape_html(fit_width(text.get<std::string>(), kShownText)));
}

std::string wording_strips(const Json& results, const char* metric) {
  constexpr std::size_t kMostStrips = 40;
  std::vector<DotStrip> strips;
  for (const Json& wording : results["wordings"]) {
    if (strips.size() == kMostStrips) break;
    DotStrip strip{.label = wording["name"].get<std::string>(),
                   .dots = {},
                   .mean = number_or(wording["metrics"][metric], 0),
                   .interval = std::nullopt};
    if (wording.contains("seeds")) {
      for (const Json& seed : wording["seeds"])
        strip.dots.emplace_back("seed " + seed["seed"].dump(), number_or(seed["metrics"][metric], 0));
    } else {
      strip.dots.emplace_back(strip.label, strip.mean);
    }
    const Json& interval = member(wording, {"intervals", metric});
    if (interval.is_array()) strip.interval = Point{interval[0].get<double>(), interval[1].get<double>()};
    strips.push_back(std::move(strip));
  }
  return strips.size() < 2 ? "" : dot_strips_on_one_axis(strips);
}

std::string intervals_note(const Json& results) {
  const auto any_has = [&](const char* key) {
    return std::ranges::any_of(results["wordings"], [&](const Json& one) { return !member(one, {key}).empty(); });
  };
  const bool has_seeds = any_has("seeds"), has_intervals = any_has("intervals");
  if (!has_seeds && !has_intervals) return "";
  const std::string means =
      has_seeds ? "Figures are means over the seeds under which examples (or tokens) are drawn, the dots. " : "";
  const std::string intervals =
      has_intervals ? concat("In brackets: 95\u00a0% intervals by bootstrap over rows", has_seeds ? " and seeds" : "",
                             "; Wilson's of a share of all rows or none. None stands where no resample differs.")
                    : "";
  return concat("<p class=\"soft\">", means, intervals, "</p>\n");
}

std::string shown_prompt_html(const Json& results) {
  const Json& shown = member(results, {"shown"});
  if (!shown.is_object()) return "";
  return concat("<p>What the model reads of row ", escape_html(value_text(shown["row"])), " in the wording <b>",
                escape_html(shown["wording"].get<std::string>()), "</b>; the answer stands behind it, or in its gap.</p>\n<pre>",
                escape_html(shown["prompt"].get<std::string>()), "</pre>\n");
}

std::string work_text(const Json& results) {
  const double tokens = results["tokens"].get<double>(), computed = results["computed_tokens"].get<double>();
  if (computed == 0) return "";
  return concat("<p>", count_text(computed), " tokens went through the model. Text by text it would have been ",
                count_text(tokens), ", ", metric_text(tokens / computed),
                " times as many: beginnings that prompts share are computed once.</p>\n");
}

}  // namespace attune::report
