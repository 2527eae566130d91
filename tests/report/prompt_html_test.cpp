// Pages of studies of wordings: which rows change, what the answers depend on, which metric stands first.
#include "attune/report/prompt_html.h"

#include <nlohmann/json.hpp>
#include <string>

#include "attune/report/scored_rows.h"
#include "catch.h"

using attune::files::Json;
using attune::report::prompt_page;
using attune::report::stability_page;

namespace {

Json stability_results() {
  return Json::parse(R"json({
    "output_dir": "runs/steady", "rows": 40, "majority": 0.5, "metric": "accuracy", "flip_rate": 0.2,
    "variants": [{"name": "a/1"}, {"name": "a/2"}, {"name": "b/1"}, {"name": "b/2"}],
    "spread": {"lowest": 0.4, "highest": 0.6},
    "shares": {"wording": {"share": 0.7, "chance": 0.333, "means": {"<a>": 0.45, "b": 0.55}},
               "seed": {"share": 0.1, "chance": 0.333, "means": {"1": 0.5, "2": 0.5}}, "remainder": 0.2},
    "wordings": [{"name": "a", "accuracy": 0.45, "lowest": 0.4, "highest": 0.5, "flip_rate": 0.1},
                 {"name": "b", "accuracy": 0.55, "lowest": 0.5, "highest": 0.6, "flip_rate": 0.2}],
    "best": "b", "steadiest": "a", "gate": {"max_flip_rate": null, "passed": true},
    "fragile": [{"id": "17", "text": "my <card> is lost", "flip_rate": 0.5, "labels": {"lost": 2, "other": 2}}]})json");
}

std::size_t times_on(const std::string& page, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a fragile row is shown with its text, a long one with its beginning", "[report]") {
  Json results = stability_results();
  CHECK_THAT(stability_page(results), ContainsSubstring("17<br>my &lt;card&gt; is lost</th>"));
  results["fragile"][0]["text"] = std::string(200, 'x');
  CHECK_THAT(stability_page(results), ContainsSubstring("17<br>" + std::string(159, 'x') + "…</th>"));
  results["fragile"][0].erase("text");  // written by an earlier version
  CHECK_THAT(stability_page(results), ContainsSubstring("<th scope=\"row\">17</th>"));
}

TEST_CASE("fragile texts stand beside the row's own, and their number last", "[report]") {
  Json results = stability_results();
  results["metric"] = "rougeL";
  results["differing_texts"] = 0.9;
  for (Json& wording : results["wordings"]) wording.update({{"rougeL", 0.4}, {"row_sd", 0.1}});
  results["fragile"] = Json::parse(R"json([{"id": "3", "text": "a <long> story", "sd": 0.3, "texts": 4,
    "lowest": {"variant": "a/1", "score": 0.1, "text": "no"}, "highest": {"variant": "b/1", "score": 0.9, "text": "yes"}}])json");
  const std::string page = stability_page(results);
  CHECK_THAT(page, ContainsSubstring("3<br>a &lt;long&gt; story</td><td>no <small"));
  CHECK_THAT(page, ContainsSubstring("</td><td>4</td></tr>"));
}

TEST_CASE("chance stands once beside a factor's share, and what a combination is in a sentence", "[report]") {
  const std::string page = stability_page(stability_results());
  CHECK(times_on(page, "(by chance 33.3\u00a0%)</text>") == 2);  // of two factors
  CHECK_THAT(page, ContainsSubstring("<td class=\"text\">&lt;a&gt;</td>"));
  CHECK_THAT(page, ContainsSubstring("<th scope=\"row\">wording</th>"));
  CHECK_THAT(page, ContainsSubstring("In combination: what no factor explains by itself"));
}

TEST_CASE("the metric that texts are compared by stands first", "[report]") {
  const Json results = Json::parse(R"json({
    "output_dir": "runs/asked", "answer": "text", "split": "validation", "rows": 8, "metric": "chrf", "tokens": 0, "computed_tokens": 0,
    "wordings": [{"name": "a", "computed_tokens": 10, "seconds": 1.5,
                  "metrics": {"rougeL": 0.25, "bleu": 3.5, "chrf": 33.5, "exact_match": 12.5, "f1": 41.5},
                  "intervals": {"chrf": [30.5, 36.5]}}]})json");
  const std::string page = prompt_page(results);
  CHECK_THAT(page, ContainsSubstring("<table class=\"figures wide\">"));
  CHECK_THAT(page,
             ContainsSubstring(
                 "<th scope=\"row\">a</th><td>33.5<small class=\"soft\">[30.5, 36.5]</small></td><td>0.250</td>"));
}

TEST_CASE("what intervals of wordings are is said where there are some", "[report]") {
  Json results = Json::parse(R"json({
    "output_dir": "runs/asked", "answer": "label", "split": "validation", "rows": 8, "majority": 0.5, "tokens": 0,
    "computed_tokens": 0,
    "wordings": [{"name": "a", "computed_tokens": 10, "seconds": 1.5, "metrics": {"accuracy": 1.0, "f1": 1.0, "loss": 0.1},
                  "intervals": {"accuracy": [0.6, 1.0]}}]})json");
  const std::string wilson = "intervals by bootstrap over rows; Wilson's of a share of all rows or none";
  CHECK_THAT(prompt_page(results), ContainsSubstring(wilson));
  CHECK_THAT(prompt_page(results), !ContainsSubstring("means over the seeds"));
  results["wordings"][0]["seeds"] = Json::array({{{"seed", 1}, {"metrics", {{"accuracy", 1.0}}}}});
  CHECK_THAT(prompt_page(results), ContainsSubstring("the dots. In brackets: 95"));
  CHECK_THAT(prompt_page(results), ContainsSubstring("bootstrap over rows and seeds; Wilson's"));
  results["wordings"][0].erase("seeds");
  results["wordings"][0]["intervals"] = Json::object();
  CHECK_THAT(prompt_page(results), !ContainsSubstring("In brackets"));
}

TEST_CASE("on how many rows metrics of texts rest is said where some have no text of their own", "[report]") {
  const auto count = [](double value) { return std::to_string(static_cast<int>(value)); };
  Json results = {{"rows", 3}, {"scored_rows", 1}};
  CHECK(attune::report::scored_rows_text(results, count) == "metrics rest on 1 of 3 rows");
  results["metric"] = "all_assertions";
  CHECK(attune::report::scored_rows_text(results, count) == "metrics rest on 1 of 3 rows, assertions on all of them");
  const Json tested = {{"metrics", {{"rows", 5}, {"generated", 2}}}};
  CHECK(attune::report::scored_test_rows_text(results, tested, count) ==
        "metrics rest on 2 of 5 rows, assertions on all of them");
  for (const int scored : {0, 3}) {
    results["scored_rows"] = scored;
    CHECK(attune::report::scored_rows_text(results, count).empty());
  }
  results.erase("scored_rows");  // of labels
  CHECK(attune::report::scored_rows_text(results, count).empty());
}
