// The page of a meta-training: the losses that episodes began with, and what to do next.
#include "attune/report/meta_html.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.h"

using attune::files::Json;
using attune::report::meta_train_page;

namespace {

Json meta_results(const std::vector<std::string>& names) {
  Json results = {{"output_dir", "my runs/<meta>"}, {"episodes", 12},  {"inner_steps", 1},   {"trained", 22713216},
                  {"tasks", Json::array()},         {"seconds", 83.0}, {"stopped_by", "end"}};
  for (const std::string& name : names) {
    results["tasks"].push_back({{"name", name},
                                {"rows", 1360},
                                {"labels", 3},
                                {"episodes", 12 / names.size()},
                                {"first_loss", 1.25},
                                {"last_loss", 0.5}});
  }
  return results;
}

/// Data sets take turns; the loss of episode i, from 0 on, is i + 1.
Json meta_episodes(std::size_t tasks) {
  Json episodes = Json::array();
  for (std::size_t i = 0; i < 12; ++i) {
    episodes.push_back({{"task", i % tasks}, {"first_loss", static_cast<double>(i + 1)}, {"last_loss", 0.0}});
  }
  return episodes;
}

std::size_t times_in(const std::string& page, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++found;
  return found;
}

/// Heights of the corners of the only <polyline>.
std::vector<double> line_heights(const std::string& page) {
  std::vector<double> heights;
  const std::size_t begin = page.find("points=\"", page.find("<polyline")) + 8, end = page.find('"', begin);
  for (std::size_t at = page.find(',', begin); at < end; at = page.find(',', at + 1))
    heights.push_back(std::stod(page.substr(at + 1)));
  return heights;
}

}  // namespace

TEST_CASE("the page of a meta-training says what was trained, and shows all episodes by data set", "[report][meta]") {
  const std::string page = meta_train_page(meta_results({"configs/a&b.json", "configs/other.json"}), meta_episodes(2));
  for (const char* part :
       {"<h1>&lt;meta&gt;</h1>", "12 episodes of 1 step · 2 data sets · 22\u202f713\u202f216 trained parameters",
        "On <b>2 of 2 data sets</b>",
        "<th "
        "scope=\"row\">configs/a&amp;b.json</th><td>1\u202f360</td><td>3</td><td>6</td><td>1.250</td><td>0.500</td>",
        ">configs/a&amp;b.json</text>", ">configs/other.json</text>",
        "attune train CONFIG --set &#39;model.path=my runs/&lt;meta&gt;&#39;</pre>"}) {
    CHECK_THAT(page, ContainsSubstring(part));
  }
  CHECK(times_in(page, "<svg") == 1);
  CHECK(times_in(page, "<circle class=\"dot series-a thin\"") == 6);
  CHECK(times_in(page, "<circle class=\"dot series-b thin\"") == 6);
  CHECK(times_in(page, "<polyline class=\"curve series-a\"") == 1);
  for (const char* bad : {"nan", "null", "http://", "<script", "<meta>", "a&b"})
    CHECK(page.find(bad) == std::string::npos);
}

TEST_CASE("data sets that a legend has no room for have a chart each", "[report][meta]") {
  const std::vector<std::string> five = {"/d/a.json", "/d/b.json", "/d/c.json", "/d/d.json", "/d/e.json"};
  const std::string page = meta_train_page(meta_results(five), meta_episodes(5));
  CHECK(times_in(page, "<svg") == 5);
  for (const char* title : {">d/a.json</text>", ">d/e.json</text>"}) CHECK_THAT(page, ContainsSubstring(title));
  const std::vector<std::string> alike = {"/a/d/run.json", "/b/d/run.json"};
  CHECK_THAT(meta_train_page(meta_results(alike), meta_episodes(2)), ContainsSubstring(">/b/d/run.json</text>"));
}

TEST_CASE("a line is the mean of the last ten episodes", "[report][meta]") {
  const std::vector<double> heights = line_heights(meta_train_page(meta_results({"a.json"}), meta_episodes(1)));
  REQUIRE(heights.size() == 12);
  // Means of 1, 1 to 2, … 1 to 10, then 2 to 11 and 3 to 12: steps of a half, then of one.
  const double half = heights[0] - heights[1];
  CHECK(half > 1);
  CHECK(heights[8] - heights[9] == Approx(half).margin(0.03));
  CHECK(heights[9] - heights[10] == Approx(2 * half).margin(0.03));
  CHECK(heights[10] - heights[11] == Approx(2 * half).margin(0.03));
}

TEST_CASE("a data set without episodes has no curve and no losses", "[report][meta]") {
  Json results = meta_results({"a.json", "b.json"});
  results["tasks"][1].update({{"episodes", 0}, {"first_loss", nullptr}, {"last_loss", nullptr}});
  const std::string page = meta_train_page(results, meta_episodes(1));
  CHECK_THAT(page, ContainsSubstring("On <b>1 of 1 data set</b>"));
  CHECK_THAT(page, ContainsSubstring("<th scope=\"row\">b.json</th><td>1\u202f360</td><td>3</td><td>0</td><td>–</td>"));
  CHECK(page.find(">b.json</text>") == std::string::npos);
  results["tasks"][0]["last_loss"] = 1.5;
  CHECK_THAT(meta_train_page(results, meta_episodes(1)), ContainsSubstring("On <b>0 of 1 data set</b>"));
}
