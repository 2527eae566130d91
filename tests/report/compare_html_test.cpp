// The page about compared methods: what it shows, and what it leaves out.
#include "attune/report/compare_html.h"

#include <nlohmann/json.hpp>

#include "attune/report/units.h"
#include "catch.h"

using attune::files::Json;
using attune::report::compare_page;

namespace {

Json compared_method(const std::string& name, double accuracy) {
  const Json interval = {accuracy - 0.1, accuracy + 0.1};
  return {{"name", name},
          {"kind", "train"},
          {"candidate", "data.template=<{{text}}>"},
          {"candidates", 2},
          {"tried",
           {{{"name", "data.template=<{{text}}>"}, {"accuracy", 0.5}, {"loss", nullptr}},
            {{"name", "b"}, {"failed", "nan"}}}},
          {"seeds", {1, 2, 3}},
          {"seed_accuracies", {accuracy, accuracy, accuracy}},
          {"accuracy", {{"value", accuracy}, {"interval", interval}}},
          {"f1_macro", {{"value", accuracy}, {"interval", interval}}},
          {"loss", {{"value", nullptr}, {"interval", {nullptr, nullptr}}}},
          {"alone", {{"rows", 2}, {"ids", {"<7>", "8"}}}},
          {"cost",
           {{"learning", {{"seconds", 3.0}, {"peak_memory", 2000000}}},
            {"answering", {{"seconds", 0.5}, {"peak_memory", 3000000}}},
            {"per_1000", {{"seconds", 5.0}}},
            {"use", {{"seconds", 8.0}}}}}};
}

Json comparison_results() {
  const Json estimate = {{"difference", 0.2}, {"interval", {0.1, 0.3}}};
  return {{"output_dir", "runs/x"},
          {"rows", {{"train", 10}, {"validation", 5}, {"test", 1234}}},
          {"labels", 2},
          {"majority", 0.5},
          {"duplicates", Json::array({{{"between", {"train", "test"}},
                                       {"rows", 1},
                                       {"other_label", 0},
                                       {"message", "1 row of test has <text>"}}})},
          {"selection_budget", 4},
          {"predictions", 1000},
          {"cost_unit", "s"},
          {"opening",
           {{"test_sha256", "abc"},
            {"file", "o.jsonl"},
            {"before", 1},
            {"by", Json::array({{{"time", "t"}, {"by", "attune compare"}, {"output_dir", "runs/y"}}})}}},
          {"methods", {compared_method("head", 0.6), compared_method("LoRA", 0.8)}},
          {"pairs", Json::array({{{"first", "head"},
                                  {"second", "LoRA"},
                                  {"accuracy", estimate},
                                  {"f1_macro", estimate},
                                  {"loss", estimate},
                                  {"only_first", 1},
                                  {"only_second", 9},
                                  {"test", "sign flips"},
                                  {"statistic", 0.2},
                                  {"p", 0.01},
                                  {"p_holm", 0.01},
                                  {"disagreement", 0.1},
                                  {"detectable", nullptr}}})},
          {"recommendation",
           {{"method", "LoRA"},
            {"best", "LoRA"},
            {"alike", Json::array({"LoRA"})},
            {"undecided", Json::array()},
            {"is_clear", true},
            {"detectable", nullptr},
            {"rule", "p >= 0.05 & cheap"},
            {"reason", "It has the highest accuracy."}}}};
}

bool page_has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the page of a comparison says what to take and why", "[report]") {
  const std::string page = compare_page(comparison_results());
  CHECK(page_has(page, "<b>LoRA</b> is recommended."));
  CHECK(page_has(page, "p &gt;= 0.05 &amp; cheap"));
  CHECK(page_has(page, "1 time</b> before"));
  CHECK(page_has(page, "1 row of test has &lt;text&gt;"));
  CHECK(page_has(page, "&lt;7&gt;, 8"));
  CHECK(page_has(page, "data.template=&lt;{{text}}&gt;"));
  CHECK(page_has(page, "diverged"));
  CHECK(page_has(page, "+0.200"));
  CHECK(page_has(page, "-0.200"));
  CHECK(page_has(page, "always the most frequent label</text>"));
  CHECK(page_has(page, "3 MB"));
  CHECK_FALSE(page_has(page, "<{{text}}>"));
}

TEST_CASE("columns of which nothing is known are left out", "[report]") {
  Json results = comparison_results();
  CHECK_FALSE(page_has(compare_page(results), "money for 1000"));
  CHECK_FALSE(page_has(compare_page(results), "energy for 1000"));
  results["methods"][0]["cost"]["per_1000"]["joules"] = 7200.0;
  CHECK(page_has(compare_page(results), "2 Wh"));
  for (Json& method : results["methods"]) method["alone"] = {{"rows", 0}, {"ids", Json::array()}};
  CHECK_FALSE(page_has(compare_page(results), "Right alone"));
  results["recommendation"]["is_clear"] = false;
  CHECK(page_has(compare_page(results), "with a reservation"));
}

TEST_CASE("a prompt of every method that asks stands on the page of a comparison", "[report]") {
  Json results = comparison_results();
  CHECK_FALSE(page_has(compare_page(results), "<details>"));
  results["methods"][1]["shown"] = {{"wording", "short"}, {"row", "t1"}, {"prompt", "Is <this> spam?"}};
  const std::string page = compare_page(results);
  CHECK(page_has(page, "<details><summary>LoRA</summary>"));
  CHECK(page_has(page, "<pre>Is &lt;this&gt; spam?</pre>"));
  CHECK_FALSE(page_has(page, "<details><summary>head</summary>"));
}

TEST_CASE("an interval without width is not shown", "[report]") {
  Json results = comparison_results();
  results["pairs"][0]["accuracy"] = {{"difference", 0.0}, {"interval", {0.0, 0.0}}};
  results["methods"][0]["f1_macro"] = {{"value", 0.25}, {"interval", {0.25, 0.25}}};
  const std::string page = compare_page(results);
  CHECK_FALSE(page_has(page, "[0, 0]"));
  CHECK_FALSE(page_has(page, "[0.000, 0.000]"));
  CHECK_FALSE(page_has(page, "[0.250, 0.250]"));
  CHECK(page_has(page, "<td>0.250</td>"));
  CHECK(page_has(page, "[0.500, 0.700]"));  // of the accuracy
  CHECK(page_has(page, "Wilson's of a share of all rows or none"));
}

TEST_CASE("ends that differ by rounding are no interval", "[report]") {
  using attune::report::has_width;
  CHECK(has_width({0.5, 0.7}));
  CHECK(has_width({-0.001, 0.0}));
  CHECK(has_width({1.09861, 1.09862}));
  CHECK(has_width({-1e-7, 1e-7}));
  CHECK_FALSE(has_width({1.09861228866811, 1.0986122886681096}));
  CHECK_FALSE(has_width({1e6, 1e6 + 1e-4}));
  CHECK_FALSE(has_width({-1e-17, 3e-17}));
  CHECK_FALSE(has_width({0.0, 0.0}));
  CHECK_FALSE(has_width({0.7, 0.5}));
  CHECK_FALSE(has_width({nullptr, 0.5}));
  CHECK_FALSE(has_width(Json::array({0.5})));
  CHECK_FALSE(has_width(Json()));
}
