// The page of learning curves: every curve has a line, a band, dots, a colour, a dash and a name.
#include "attune/report/learning_curve_html.h"

#include <nlohmann/json.hpp>
#include <set>

#include "../../src/report/charts.h"
#include "catch.h"

using namespace attune::report;

namespace {

using attune::files::Json;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

ScoreCurves chart_of(std::size_t curves) {
  ScoreCurves chart{.title = "t", .x_label = "x", .y_label = "y", .sizes = {8, 16, 32}, .curves = {}};
  for (std::size_t i = 0; i < curves; ++i) {
    const double at = 0.5 + 0.001 * static_cast<double>(i);
    chart.curves.push_back({.name = "method " + std::to_string(i),
                            .line = {{8, at}, {32, at}},
                            .low = {{8, at - 0.1}, {32, at - 0.1}},
                            .high = {{8, at + 0.1}, {32, at + 0.1}},
                            .dots = {{8, at}, {16, at}}});
  }
  return chart;
}

/// Heights at which names stand.
std::set<double> name_heights_in(const std::string& svg) {
  std::set<double> heights;
  for (std::size_t at = svg.find("<text class=\"named"); at != std::string::npos;
       at = svg.find("<text class=\"named", at + 1)) {
    heights.insert(std::stod(svg.substr(svg.find(" y=\"", at) + 4)));
  }
  return heights;
}

Json results_of_curves() {
  const auto size_of = [](const Json& size, double accuracy) {
    Json entry = {{"size", size}, {"seeds", 3}};
    for (const char* key : {"accuracy", "f1", "loss", "seconds"}) entry[key] = {{"mean", accuracy}, {"sd", 0.01}};
    return entry;
  };
  Json learner = {{"name", "LoRA & <co>"},
                  {"kind", "train"},
                  {"learns", true},
                  {"points", Json::array()},
                  {"by_size", Json::array()}};
  for (const int size : {8, 16, 32}) {
    learner["points"].push_back({{"size", size}, {"seed", 1}, {"accuracy", 0.5 + size / 100.0}});
    learner["by_size"].push_back(size_of(size, 0.5 + size / 100.0));
    learner["curve"].push_back({{"labels", size}, {"value", 0.5 + size / 100.0}, {"interval", {0.5, 0.9}}});
  }
  learner["points"].push_back({{"size", 32}, {"seed", 2}, {"failed", "loss < 0?"}});
  learner["law"] = {{"asymptote", 0.9}, {"gap", 1.0}, {"exponent", 0.5}, {"misfit", 0.01}};
  learner["gain"] = {{"from", 32}, {"more", 100}, {"value", 0.03}, {"interval", {0.01, 0.05}}};
  Json level = {{"name", "zero-shot"},
                {"kind", "prompt"},
                {"learns", false},
                {"points", Json::array({{{"size", nullptr}, {"seed", 1}, {"accuracy", 0.4}}})}};
  level["by_size"] = Json::array({size_of(nullptr, 0.4)});
  level["curve"] = {{{"labels", 8}, {"value", 0.4}, {"interval", nullptr}},
                    {{"labels", 32}, {"value", 0.4}, {"interval", nullptr}}};
  return {{"output_dir", "runs/curve"},
          {"per_class", true},
          {"sizes", {8, 16, 32}},
          {"seeds", {1, 2, 3}},
          {"more", 100},
          {"labels", 3},
          {"test_rows", 24},
          {"methods", {learner, level}},
          {"crossings", Json::array({{{"first", "LoRA & <co>"},
                                      {"second", "zero-shot"},
                                      {"ahead", "zero-shot"},
                                      {"labels", 19.6},
                                      {"interval", {10.0, 30.0}},
                                      {"share", 0.7}}})},
          {"sentences", Json::array({"A < B.", "C in 80 % of cases."})}};
}

}  // namespace

TEST_CASE("every curve has a colour and a dash of its own, and its name apart from the others", "[report][curve]") {
  const std::string svg = score_curves(chart_of(6));
  CHECK(count_of(svg, "<polygon") == 6);
  CHECK(count_of(svg, "<polyline") == 6);
  CHECK(count_of(svg, "<circle") == 12);
  for (int i = 1; i <= 6; ++i)
    CHECK_THAT(svg, ContainsSubstring("toned tone-" + std::to_string(i) + " dash-" + std::to_string(i) + "\""));
  const std::set<double> heights = name_heights_in(svg);
  REQUIRE(heights.size() == 6);
  double before = -100;
  for (const double height : heights) {
    CHECK(height - before >= 15.99);
    before = height;
  }
  CHECK_THAT(score_curves(chart_of(8)), ContainsSubstring("toned tone-1 dash-2\""));
  CHECK(score_curves(chart_of(0)).empty());
}

TEST_CASE("equal steps of the logarithm are equally far apart", "[report][curve]") {
  const std::string svg = score_curves(chart_of(1));
  std::vector<double> places;
  for (const char* size : {">8<", ">16<", ">32<"}) {
    const std::size_t end = svg.find(size);
    REQUIRE(end != std::string::npos);
    places.push_back(std::stod(svg.substr(svg.rfind(" x=\"", end) + 4)));
  }
  CHECK(places[1] - places[0] == Approx(places[2] - places[1]).margin(0.02));
}

TEST_CASE("the page of learning curves says what was measured and what was not", "[report][curve]") {
  const std::string html = learning_curve_page(results_of_curves());
  for (const char* part : {"LoRA &amp; &lt;co&gt;", "A &lt; B.", "C in 80\u00a0% of cases.", "0.820<small", "asymptote",
                           "+0.030", "beyond 32, where nothing was measured", "loss &lt; 0?", "0.400<small"}) {
    CHECK_THAT(html, ContainsSubstring(part));
  }
  for (const char* bad : {"nan", "null", "http://", "<script"}) CHECK(html.find(bad) == std::string::npos);
}

TEST_CASE("tables say of every method and pair of curves what the sentences leave out", "[report][curve]") {
  Json results = results_of_curves();
  const std::string html = learning_curve_page(results);
  CHECK_THAT(html, ContainsSubstring("from 32 to 132 labels per class"));
  CHECK_THAT(html, ContainsSubstring("+100 labels per class</th>"));
  CHECK_THAT(html, ContainsSubstring("<td>+0.030<small class=\"soft\">[+0.010, +0.050]</small></td><td>0.010</td>"));
  CHECK_THAT(html, ContainsSubstring("<td>0</td><td>–</td>"));  // zero-shot
  CHECK_THAT(html, ContainsSubstring("LoRA &amp; &lt;co&gt;, zero-shot</th><td class=\"text\">zero-shot</td>"
                                     "<td>20<small class=\"soft\">[10, 30]</small></td><td>70\u00a0%</td>"));
  results["crossings"][0].update({{"ahead", nullptr}, {"labels", nullptr}, {"interval", nullptr}, {"share", 0.0}});
  results["methods"][0]["gain"]["interval"] = {0.03, 0.03 + 1e-15};
  const std::string level = learning_curve_page(results);
  CHECK_THAT(level, ContainsSubstring("zero-shot</th><td class=\"text\">–</td><td>–</td>"));
  CHECK_THAT(level, ContainsSubstring("<td>+0.030</td>"));
  results["methods"][0].erase("law");
  results["methods"][0].erase("gain");
  results["crossings"] = Json::array();
  const std::string without = learning_curve_page(results);
  CHECK_THAT(without, ContainsSubstring("</td><td>–</td><td>–</td>"));
  CHECK(without.find("Every pair of curves") == std::string::npos);
}
