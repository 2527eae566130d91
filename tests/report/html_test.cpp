// The report page: self-contained, well formed, escaped, and made of what the run knows.
#include "attune/report/html.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "catch.h"
#include "report/summary.h"

using namespace attune::report;
using attune::testing::example_events;
using attune::testing::example_summary;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

/// The first tag that closes what is not open, or is never closed; "" for a well-formed page.
std::string unbalanced_tag(const std::string& html) {
  const std::vector<std::string> empty = {"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  const std::regex tag("<(/?)([!A-Za-z0-9]+)([^>]*)>");
  for (std::sregex_iterator it(html.begin(), html.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2], rest = (*it)[3];
    if (std::find(empty.begin(), empty.end(), name) != empty.end() || rest.ends_with("/")) continue;
    if ((*it)[1] == "/") {
      if (open.empty() || open.back() != name) return "</" + name + ">";
      open.pop_back();
    } else {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : open.back();
}

std::string page(const Event& summary, const std::vector<Event>& events) {
  return html_report(summary, std::span<const Event>(events));
}

}  // namespace

TEST_CASE("the report page is self-contained and well formed", "[report]") {
  const std::string html = page(example_summary(), example_events());
  CHECK(unbalanced_tag(html).empty());
  for (const char* outside : {"http://", "https://", "<script", "<link", "<img", "@import", "url("}) {
    INFO(outside);
    CHECK_FALSE(contains(html, outside));
  }
  for (const char* bad : {"nan", "NaN", "inf\"", "-nan"}) {
    INFO(bad);
    CHECK_FALSE(contains(html, std::string("=\"") + bad));
  }
}

TEST_CASE("the report page says how the run went", "[report]") {
  const std::string html = page(example_summary(), example_events());
  CHECK(contains(html, "right on <b>90.0 %</b> of the test rows (95 % interval 85.0 % to 94.5 %)"));
  CHECK(contains(html, "most frequent label would be right on 48.0 %"));
  CHECK_FALSE(contains(html, "no clear gain"));
  CHECK(contains(html, "[0.850, 0.945]"));
  CHECK(contains(html, ">66</text>"));
  CHECK(contains(html, "3 texts of test also occur in train"));
  CHECK(contains(html, "lr_scheduler_kwargs.num_cycles"));
  CHECK(contains(html, "stopped early"));
  CHECK(contains(html, ">best</text>"));
}

TEST_CASE("a model that does not beat the most frequent label is called so", "[report]") {
  Event summary = example_summary();
  summary["majority"]["test"] = 0.87;
  CHECK(contains(page(summary, {}), "no clear gain"));
}

TEST_CASE("everything from outside is escaped", "[report]") {
  Event summary = example_summary();
  const std::string evil = "<script>alert('x')</script>\" onload=\"y\x1b \xff";
  summary["about"] = evil;
  summary["output_dir"] = evil;
  summary["base_model"] = evil;
  summary["data"]["labels"][evil] = 3;
  summary["data"]["splits"][evil] = {{"rows", 1}};
  summary["data"]["duplicates"][0]["examples"] = {evil};
  summary["test"]["metrics"][evil] = 0.5;
  summary["test"]["metrics"]["per_class"][evil] = {{"f1", 0.5}};
  summary["test"]["metrics"]["confusion_matrix"]["labels"][0] = evil;
  summary["settings"][evil] = {{evil, evil}};
  summary["trainable"] = evil;
  auto events = example_events();
  events[0]["environment"][evil] = evil;
  events[0]["time"] = evil;
  const std::string html = page(summary, events);
  CHECK_FALSE(contains(html, "<script"));
  CHECK_FALSE(contains(html, "onload=\""));
  CHECK_FALSE(contains(html, "\x1b"));
  CHECK_FALSE(contains(html, "\xff"));
  CHECK(unbalanced_tag(html).empty());
}

TEST_CASE("a page can be made of next to nothing", "[report]") {
  for (const Event& summary :
       {Event::object(), Event{{"output_dir", "x"}, {"test", {{"metrics", {{"accuracy", nullptr}}}}}}}) {
    const std::string html = page(summary, {});
    CHECK(unbalanced_tag(html).empty());
    CHECK(contains(html, "</html>"));
  }
  CHECK(contains(html_report(Event::object(), std::string("/nonexistent/events.jsonl")), "</html>"));
}

TEST_CASE("folds and seeds appear as dots with their mean", "[report]") {
  Event summary = example_summary();
  summary["cross_validation"] = {{"mean", {{"accuracy", 0.8}}},
                                 {"sd", {{"accuracy", 0.01}}},
                                 {"interval", {{"accuracy", {0.78, 0.82}}}},
                                 {"interval_method", "Nadeau–Bengio"}};
  for (int fold = 1; fold <= 4; ++fold) {
    summary["cross_validation"]["folds"].push_back(
        {{"repeat", 1}, {"fold", fold}, {"best_epoch", 2}, {"metrics", {{"accuracy", 0.77 + fold * 0.012}}}});
    summary["seeds"].push_back({{"seed", fold}, {"results", {{"test", {{"metrics", {{"accuracy", 0.9}}}}}}}});
  }
  const std::string html = page(summary, {});
  CHECK(count(html, "class=\"dot ring series-a\"") == 8);
  CHECK(count(html, "class=\"mean\"") == 2);
  CHECK(contains(html, "0.800 [0.780, 0.820]"));
  CHECK(contains(html, "Nadeau–Bengio"));
  CHECK(unbalanced_tag(html).empty());
}

TEST_CASE("many labels give confused pairs instead of a matrix", "[report]") {
  Event summary = example_summary();
  Event labels = Event::array(), counts = Event::array(), per_class = Event::object();
  for (int i = 0; i < 40; ++i) {
    labels.push_back("intent " + std::to_string(i));
    counts.push_back(std::vector<int>(40, 0));
    counts.back()[i] = 10;
    per_class["intent " + std::to_string(i)] = {{"precision", 1}, {"recall", 1}, {"f1", i / 40.0}, {"support", 10}};
  }
  counts[3][7] = 5;
  summary["test"]["metrics"]["confusion_matrix"] = {{"labels", labels}, {"counts", counts}};
  summary["test"]["metrics"]["per_class"] = per_class;
  const std::string html = page(summary, {});
  CHECK_FALSE(contains(html, "Confusion matrix</h3>"));
  CHECK(contains(html, "<th scope=\"row\">intent 3</th><td>intent 7</td><td>5</td><td>33 %</td>"));
  CHECK(contains(html, "F1 of the 25 weakest of 40 labels"));
}

TEST_CASE("curves of several trainings lie over each other, and resumed steps count once", "[report]") {
  std::vector<Event> events;
  for (int fold = 1; fold <= 2; ++fold) {
    events.push_back({{"event", "fold_begin"}, {"fold", fold}, {"repeat", 1}});
    for (int step = 1; step <= 3; ++step) events.push_back({{"event", "log"}, {"step", step}, {"loss", 1.0 / step}});
    events.push_back({{"event", "log"}, {"step", 3}, {"loss", 0.5}});
  }
  const std::string html = page(Event::object(), events);
  CHECK(count(html, "<polyline class=\"curve series-a thin\"") == 2);
  CHECK(contains(html, "2 trainings laid over each other"));
}
