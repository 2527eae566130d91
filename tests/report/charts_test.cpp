// Charts: names that do not cover one another, axes that end where shares end.
#include "../../src/report/charts.h"

#include <cmath>
#include <string>
#include <vector>

#include "../../src/report/compare_charts.h"
#include "../../src/report/html_text.h"
#include "../../src/report/svg.h"
#include "catch.h"

using namespace attune::report;

namespace {

struct PlacedName {
  double from, to, y;
};

/// Where an <svg> has names of points, by about how wide their letters are.
std::vector<PlacedName> placed_names(const std::string& svg) {
  std::vector<PlacedName> names;
  for (std::size_t at = svg.find("<text class=\"label"); at != std::string::npos;
       at = svg.find("<text class=\"label", at + 1)) {
    const std::size_t begin = svg.find('>', at) + 1, end = svg.find("</text>", at);
    const bool at_left = svg.compare(at, 23, "<text class=\"label end\"") == 0;
    const double x = std::stod(svg.substr(svg.find(" x=\"", at) + 4)),
                 y = std::stod(svg.substr(svg.find(" y=\"", at) + 4));
    const double width = 6 * static_cast<double>(end - begin);
    names.push_back(at_left ? PlacedName{x - width, x, y} : PlacedName{x, x + width, y});
  }
  return names;
}

std::size_t leader_lines(const std::string& svg) {
  std::size_t lines = 0;
  for (std::size_t at = svg.find("lead-line"); at != std::string::npos; at = svg.find("lead-line", at + 1)) ++lines;
  return lines;
}

}  // namespace

TEST_CASE("names of points that lie together do not cover one another, and lines lead to them", "[report]") {
  const Point interval = {0.4, 0.8};
  const std::vector<CostPoint> points = {{.label = "few-shot", .cost = 10, .value = 0.6, .interval = interval},
                                         {.label = "head", .cost = 10.5, .value = 0.602, .interval = interval},
                                         {.label = "LoRA", .cost = 11, .value = 0.604, .interval = interval},
                                         {.label = "majority", .cost = 9.5, .value = 0.601, .interval = interval}};
  const std::string svg = cost_chart(points, "seconds", "accuracy");
  const std::vector<PlacedName> names = placed_names(svg);
  REQUIRE(names.size() == points.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(names[i].from >= 66);
    CHECK(names[i].to <= 740);
    for (std::size_t j = 0; j < i; ++j) {
      const bool is_beside = names[i].from >= names[j].to || names[j].from >= names[i].to;
      CHECK((is_beside || std::abs(names[i].y - names[j].y) >= 13));
    }
  }
  CHECK(leader_lines(svg) >= 2);  // at one height there is room on two sides
}

TEST_CASE("a name with room beside its point needs no line", "[report]") {
  const std::vector<CostPoint> points = {{.label = "head", .cost = 1, .value = 0.2, .interval = {}},
                                         {.label = "LoRA", .cost = 100, .value = 0.8, .interval = {}}};
  const std::string svg = cost_chart(points, "seconds", "accuracy");
  CHECK(placed_names(svg).size() == 2);
  CHECK(leader_lines(svg) == 0);
}

TEST_CASE("an axis around a single share ends where shares end", "[report]") {
  CHECK(round_ticks(1, 1, 5).high == Approx(1));
  CHECK(round_ticks(1, 1, 5).low < 1);
  CHECK(round_ticks(0, 0, 5).low == 0);
  CHECK(round_ticks(0.97, 0.97, 5).high == Approx(1));
  CHECK(round_ticks(2, 2, 5).high > 2);  // no share
  CHECK(round_ticks(-1, -1, 5).low < -1);
  LineChart chart{
      .title = "Validation scores", .x_label = "x", .y_label = "y", .lines = {}, .marked_x = {}, .mark = {}};
  chart.lines.push_back({.name = "Accuracy", .points = {{10, 1}, {20, 1}}, .css = "series-a"});
  CHECK(line_chart(chart).find(">1.10<") == std::string::npos);
  CHECK(line_chart(chart).find(">1.00<") != std::string::npos);
}

TEST_CASE("a line that is not joined is its dots alone", "[report]") {
  LineChart chart{.title = "t", .x_label = "x", .y_label = "y", .lines = {}, .marked_x = {}, .mark = {}};
  chart.lines.push_back(
      {.name = "a", .points = {{1, 1}, {2, 3}, {3, 2}}, .css = "series-a thin", .dots = true, .joined = false});
  const std::string svg = line_chart(chart);
  CHECK(svg.find("<polyline") == std::string::npos);
  CHECK(svg.find("<circle class=\"dot series-a thin\"") != std::string::npos);
  chart.lines[0].joined = true;
  CHECK(line_chart(chart).find("<polyline") != std::string::npos);
}

TEST_CASE("a legend has room for some names", "[report]") {
  CHECK(legend_fits({"configs/meta_support.json", "configs/fraud.json"}));
  CHECK_FALSE(legend_fits({"configs/meta_support.json", "configs/fraud.json", "configs/intents.json"}));
}

TEST_CASE("nothing has no sign", "[report]") {
  CHECK(metric_text(-0.0) == "0.000");
  DifferenceMatrix matrix{.labels = {"a", "b"}, .cells = {}};
  matrix.cells = {{DifferenceCell{}, DifferenceCell{.difference = -0.0001}},
                  {DifferenceCell{.difference = 0.25}, DifferenceCell{}}};
  const std::string svg = difference_matrix(matrix);
  CHECK(svg.find(">0.000<") != std::string::npos);
  CHECK(svg.find(">+0.250<") != std::string::npos);
  CHECK(svg.find("-0.000") == std::string::npos);
}
