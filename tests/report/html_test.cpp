// The report page: self-contained, well formed, escaped, and made of what the run knows.
#include "attune/report/html.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "attune/base/strings.h"
#include "attune/report/openings.h"
#include "catch.h"
#include "report/summary.h"

using namespace attune::report;
using attune::concat;
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
  CHECK(contains(html, "right on <b>90.0\u00a0%</b> of the test rows (95\u00a0% interval 85.0\u00a0% to 94.5\u00a0%)"));
  CHECK(contains(html, "most frequent label would be right on 48.0\u00a0%"));
  CHECK_FALSE(contains(html, "no clear gain"));
  CHECK(contains(html, "[0.850, 0.945]"));
  CHECK(contains(html, ">66</text>"));
  CHECK(contains(html, "3 texts of test also occur in train"));
  CHECK(contains(html, "lr_scheduler_kwargs.num_cycles"));
  CHECK(contains(html, "stopped early"));
  CHECK(contains(html, ">best</text>"));
}

TEST_CASE("the page says what rounds of self-training found", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, example_events()), "Self-training"));
  summary["data"]["train_wordings"] = 3;
  summary["data"]["unlabelled"] = {{"read", 736}, {"rows", 608}, {"left_out", {{"train", 128}, {"repeated", 2}}}};
  summary["self_training"] = {{{"round", 1},
                               {"teacher", "untouched"},
                               {"trained_rows", 0},
                               {"unlabelled", 608},
                               {"agreed", 304},
                               {"taken", 300},
                               {"taken_by_label", {{"a<b", 200}, {"c", 100}}},
                               {"mean_agreement", 0.75},
                               {"validation", {{"rows", 160}, {"agreed", 40}, {"accuracy", nullptr}, {"accuracy_of_all", 0.5}}}},
                              {{"round", 2},
                               {"teacher", "tuned"},
                               {"trained_rows", 428},
                               {"unlabelled", 608},
                               {"agreed", 304},
                               {"taken", 300},
                               {"taken_by_label", {{"a<b", 200}, {"c", 100}}},
                               {"mean_agreement", 0.75}}};
  const std::string html = page(summary, example_events());
  CHECK(unbalanced_tag(html).empty());
  // What matters most stands left of what a narrow page cuts off.
  CHECK(contains(html, "<table class=\"figures wide\"><thead><tr><th scope=\"col\" class=\"text\">round</th><th scope=\"col\" class=\"text\">asked</th>"
                       "<th scope=\"col\">right where agreed</th><th scope=\"col\">right of all</th>"));
  CHECK(contains(html, "<td class=\"text\">the untouched base</td><td>–</td><td>50.0\u00a0%</td><td>40<small"));
  CHECK(contains(html, "<td class=\"text\">tuned on 428 rows</td><td>–</td><td>–</td><td>–</td><td>608</td>"));
  for (const char* part : {"on whose label enough of 3 wordings agreed", "the untouched base", "tuned on 428 rows", "304<small class=\"soft\">50.0\u00a0%</small>",
                           "40<small class=\"soft\">25.0\u00a0%</small>", "128 with the text of a train row, 2 that repeat another", "a&lt;b"}) {
    INFO(part);
    CHECK(contains(html, part));
  }
}

TEST_CASE("a model that does not beat the most frequent label is called so", "[report]") {
  Event summary = example_summary();
  summary["majority"]["test"] = 0.87;
  CHECK(contains(page(summary, {}), "no clear gain"));
}

TEST_CASE("with uneven labels the page speaks of the positive one", "[report]") {
  Event summary = example_summary();
  summary["majority"]["test"] = 0.97;
  summary["test"]["metrics"].update(
      {{"accuracy", 0.96}, {"precision_positive", 0.4}, {"recall_positive", 0.7}, {"pr_auc", 0.6}});
  summary["test"]["metrics"]["thresholds"] = {{"positive", "fraud"},
                                              {"points", {{{"threshold", 0.0}, {"precision", 0.03}, {"recall", 1}}}}};
  const std::string html = page(summary, {});
  CHECK(contains(
      html,
      "Of the rows that are <b>fraud</b> it finds 70.0\u00a0%, and of the rows that it calls <b>fraud</b> 40.0\u00a0% are."));
  CHECK(contains(html, "PR-AUC is 0.600; guessing would reach 0.030."));
  CHECK_FALSE(contains(html, "no clear gain"));
}

TEST_CASE("metrics whose numbers could be misread stand with their unit, counts without a point", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, {}), "F1, %"));
  summary["test"]["metrics"] = {{"rows", 9}, {"loss", 1.5}, {"tokens", 1234}, {"generated", 7}, {"exact_match", 42.5}, {"f1", 51.5},
                                {"rougeL", 0.5}, {"bleu", 12.5}, {"chrf++", 33.5}};
  const std::string html = page(summary, {});
  for (const char* label : {"Exact match, %", "F1, %", "ROUGE-L, 0–1", "BLEU, 0–100", "chrF++, 0–100"}) {
    INFO(label);
    CHECK(contains(html, label));
  }
  CHECK(contains(html, "<th scope=\"row\">Generated texts</th><td>7</td>"));
}

TEST_CASE("the share of the most frequent label is told as one of these rows", "[report]") {
  Event summary = example_summary();
  summary["test"]["metrics"]["majority_rate"] = 0.48;
  CHECK(contains(page(summary, {}), "<th scope=\"row\">Most frequent label of these rows</th><td>0.480</td>"));
}

TEST_CASE("every table scrolls in a block of its own, and a narrow page leaves it the room", "[report]") {
  const std::string html = page(example_summary(), {}), block = "<div class=\"scroll\">";
  std::size_t tables = 0;
  for (std::size_t at = html.find("<table"); at != std::string::npos; at = html.find("<table", at + 1), ++tables) {
    CHECK(html.substr(at - block.size(), block.size()) == block);
  }
  CHECK(tables > 3);
  CHECK(contains(html, ".scroll { overflow-x: auto;"));
  CHECK(contains(html, "@media (max-width: 640px)"));
  CHECK_FALSE(contains(html, "minmax(340px"));  // wider than a telephone
}

TEST_CASE("rows that were cut into windows are told apart from them", "[report]") {
  Event summary = example_summary();
  summary["test"]["metrics"]["rows"] = 8;
  CHECK(contains(page(summary, {}), "test<br><small>8 rows</small>"));
  summary["test"]["metrics"]["windows"] = 21;
  const std::string html = page(summary, {});
  CHECK(contains(html, "test<br><small>8 rows in 21 windows</small>"));
  CHECK_FALSE(contains(html, ">windows<"));
}

TEST_CASE("the page shows the best and the worst generated texts", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, {}), "id=\"texts\""));
  Event rows = Event::array();
  for (int i = 0; i < 4; ++i) {
    rows.push_back({{"id", "r"}, {"prompt", "ask\n<|user|>"}, {"generated", "made " + std::to_string(i) + " <b>"}, {"reference", "gold & more"}, {"score", 1.0 / (i + 1)}});
  }
  summary["test"]["samples"] = {{"metric", "rougeL"}, {"texts", 40}, {"rows", rows}};
  const std::string html = page(summary, {});
  CHECK(unbalanced_tag(html).empty());
  CHECK(contains(html, "The 2 best and the 2 worst of 40 texts by ROUGE-L, 0–1."));
  CHECK(contains(html, "<td class=\"soft\">ask\n&lt;|user|&gt;</td><td>made 3 &lt;b&gt;</td><td>gold &amp; more</td><td>0.250</td>"));
  CHECK(html.find("<h3>Worst</h3>") > html.find("made 1"));
  CHECK(html.find("<h3>Worst</h3>") < html.find("made 2"));
  summary["test"]["samples"]["texts"] = 4;
  CHECK_FALSE(contains(page(summary, {}), "<h3>Worst</h3>"));
}

TEST_CASE("the page says what the run cost, as far as it is known", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, {}), "id=\"cost\""));
  summary["cost"] = Event::parse(R"json({
    "training": {"tokens": 123456, "supervised": 1200, "flops": 6e12, "flops_forward": 2e12, "flops_backward": 3e12,
                 "flops_frozen": 1e12, "flops_recomputed": 0.0, "step_seconds": 60.0, "seconds": 61.0},
    "evaluation": {"tokens": 1000, "flops": 5e11, "flops_forward": 5e11, "seconds": 4.0},
    "run": {"flops": 6.5e12, "seconds": 83.4, "peak_memory": 1500000000},
    "energy": {"sources": [], "missing": "/sys/x: <none>"}})json");
  std::string html = page(summary, {});
  CHECK(unbalanced_tag(html).empty());
  CHECK(contains(html, "<th scope=\"row\">training</th><td>123\u202f456</td><td>6 TFLOP</td><td>1:01</td>"));
  CHECK(contains(html, "<th scope=\"row\">the whole run</th><td></td><td>6.5 TFLOP</td><td>1:23</td>"));
  CHECK(contains(html, "<th scope=\"row\">frozen layers, once a text</th><td>1 TFLOP</td>"));
  CHECK_FALSE(contains(html, "run again to save memory"));
  CHECK(contains(html, "Memory: at most 1.5 GB."));
  CHECK(contains(html, "Energy that is not known: /sys/x: &lt;none&gt;."));
  CHECK_FALSE(contains(html, "money"));
  CHECK_FALSE(contains(html, "The training steps reached"));

  summary["cost"].update(Event::parse(R"json({"currency": "<b>", "share_of_matrix_rate": 0.413,
    "matrix_rate": {"flops_per_second": 3.6e11, "size": 2048, "precision": "float32"},
    "run": {"flops": 6.5e12, "seconds": 83.4, "joules": 36000, "money": 1.5},
    "energy": {"sources": ["package-<0>"]}})json"));
  html = page(summary, {});
  CHECK(unbalanced_tag(html).empty());
  CHECK(contains(html, "reached <b>41.3\u00a0%</b> of the 360 GFLOP a second at which this machine multiplied 2048 × 2048 matrices in float32"));
  CHECK(contains(html, "<td>10 Wh</td><td>1.50 &lt;b&gt;</td>"));
  CHECK(contains(html, "Energy is that of package-&lt;0&gt;"));
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
  summary["phases"][evil] = 1.0;
  auto events = example_events();
  events.push_back({{"event", "model"},
                    {"parts", {{{"name", evil}, {"parameters", 1}, {"trained", 1}}}},
                    {"newly_initialised", {evil}}});
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
    summary["cross_validation"]["folds"].push_back({{"repeat", 1},
                                                    {"fold", fold},
                                                    {"rows", {{"train", 1300}, {"held_out", 400}}},
                                                    {"best_epoch", 2.5},
                                                    {"metrics", {{"accuracy", 0.77 + fold * 0.012}}}});
    summary["seeds"].push_back({{"seed", fold}, {"results", {{"test", {{"metrics", {{"accuracy", 0.9}}}}}}}});
  }
  const std::string html = page(summary, {});
  CHECK(count(html, "class=\"dot ring series-a\"") == 8);
  CHECK(count(html, "class=\"mean\"") == 2);
  CHECK(contains(html, "0.800 [0.780, 0.820]"));
  CHECK(contains(html, "Nadeau–Bengio"));
  CHECK(contains(html, "<th scope=\"row\">4</th><td>1\u202f300</td><td>400</td><td>2.5</td><td>0.818</td>"));
  CHECK_FALSE(contains(html, "Folds go by time"));
  summary["settings"]["cross_validation"]["by_time"] = true;
  CHECK(contains(page(summary, {}), "Folds go by time"));
  CHECK(unbalanced_tag(html).empty());
}

namespace {

/// A test split of `labels` labels, 10 rows each, all right but `mistakes` of label 3, taken for label 7.
Event with_many_labels(int labels, int mistakes) {
  Event summary = example_summary();
  Event names = Event::array(), counts = Event::array(), per_class = Event::object();
  for (int i = 0; i < labels; ++i) {
    names.push_back("intent " + std::to_string(i));
    counts.push_back(std::vector<int>(labels, 0));
    counts.back()[i] = 10;
    per_class["intent " + std::to_string(i)] = {
        {"precision", 1}, {"recall", 1}, {"f1", i / double(labels)}, {"support", 10}};
  }
  counts[3][7] = mistakes;
  summary["test"]["metrics"]["confusion_matrix"] = {{"labels", names}, {"counts", counts}};
  summary["test"]["metrics"]["per_class"] = per_class;
  return summary;
}

}  // namespace

TEST_CASE("a matrix of many labels has small bare cells, and the confused pairs beside it", "[report]") {
  const std::string html = page(with_many_labels(77, 5), {});
  CHECK(contains(html, "<h3>Confusion matrix</h3>"));
  CHECK(count(html, "class=\"right\"") == 77);
  CHECK(count(html, "class=\"wrong\"") == 1);
  CHECK(contains(html, "<title>gold intent 3, predicted intent 7: 5 of 15 (33\u00a0%)</title>"));
  CHECK_FALSE(contains(html, "class=\"count"));
  CHECK(contains(html, "<th scope=\"row\">intent 3</th><td class=\"text\">intent 7</td><td>5</td><td>33\u00a0%</td>"));
  CHECK(contains(html, "F1 of the 25 weakest of 77 labels"));
  CHECK(html.size() < 200000);
}

TEST_CASE("of very many labels the matrix shows those with the most mistakes", "[report]") {
  const std::string html = page(with_many_labels(300, 5), {});
  CHECK(contains(html, "Confusion matrix of the 60 labels with the most mistakes, of 300"));
  CHECK(count(html, "class=\"right\"") == 60);
  CHECK(count(html, "class=\"wrong\"") == 1);
}

TEST_CASE("what is trained stands as a table by part, with the time of each phase", "[report]") {
  Event summary = example_summary();
  summary["phases"] = {{"loading", 1.0}, {"training", 3.0}};
  const std::vector<Event> events = {{{"event", "model"},
                                      {"parameters", 30000},
                                      {"trained", 1000},
                                      {"parts",
                                       {{{"name", "embeddings"}, {"parameters", 29000}, {"trained", 0}},
                                        {{"name", "classifier"}, {"parameters", 1000}, {"trained", 1000}}}},
                                      {"newly_initialised", {"classifier.weight"}},
                                      {"unused", Event::array()}}};
  const std::string html = page(summary, events);
  CHECK(contains(html, "What is trained"));
  CHECK(contains(html, "<th scope=\"row\">embeddings</th><td>29\u202f000</td><td>0</td><td>0.0\u00a0%</td>"));
  CHECK(contains(html, "<th scope=\"row\">all</th><td>30\u202f000</td><td>1\u202f000</td><td>3.3\u00a0%</td>"));
  CHECK(contains(html, "no such tensors: <span class=\"code\">classifier.weight</span>"));
  CHECK_FALSE(contains(html, "and not used"));
  CHECK(contains(html, "3.000 s · 75.0\u00a0%"));
}

TEST_CASE("two labels have a threshold, chosen on the validation rows", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, {}), "<h2>Thresholds</h2>"));
  const auto curve = [](double recall_at_low) {
    return Event{{"positive", "fraud"},
                 {"points",
                  {{{"threshold", 0.1}, {"precision", 0.05}, {"recall", 1.0}, {"flagged", 200}},
                   {{"threshold", 0.3}, {"precision", 0.8}, {"recall", recall_at_low}, {"flagged", 10}},
                   {{"threshold", 0.9}, {"precision", 1.0}, {"recall", 0.2}, {"flagged", 2}}}}};
  };
  summary["test"]["metrics"]["thresholds"] = curve(0.7);
  summary["validation"] = {{"metrics", {{"accuracy", 0.9}, {"thresholds", curve(0.8)}}}};
  const std::string html = page(summary, {});
  CHECK(contains(html, "0.300 has the best F1 on the validation rows"));
  CHECK(contains(
      html,
      "<th scope=\"row\">as predicted</th><td>0.500</td><td>2</td><td>100.0\u00a0%</td><td>20.0\u00a0%</td><td>0.333</td>"));
  CHECK(contains(html, "<th scope=\"row\">best F1</th><td>0.300</td><td>10</td><td>80.0\u00a0%</td><td>70.0\u00a0%</td>"));
  CHECK(contains(html, "<th scope=\"row\">finds at least 90\u00a0%</th><td>0.100</td><td>200</td>"));
  CHECK(unbalanced_tag(html).empty());
  summary.erase("validation");
  CHECK(contains(page(summary, {}),
                 "has the best F1 on these test rows, so that their scores at it are a little too good"));
}

TEST_CASE("curves of several trainings lie over each other, and resumed steps count once", "[report]") {
  std::vector<Event> events;
  for (int fold = 1; fold <= 2; ++fold) {
    events.push_back({{"event", "fold_begin"}, {"fold", fold}, {"repeat", 1}});
    for (int step = 1; step <= 3; ++step) events.push_back({{"event", "log"}, {"step", step}, {"loss", 1.0 / step}});
    events.push_back({{"event", "log"}, {"step", 3}, {"loss", 0.5}});
  }
  const std::string html = page(Event::object(), events);
  for (const char* css : {"curve series-a", "curve series-b"}) CHECK(count(html, concat("<polyline class=\"", css, "\"")) == 1);
  CHECK(contains(html, "2 trainings laid over each other, each in a colour of its own."));
  CHECK(contains(html, ">repeat 1 fold 2</text>"));
  CHECK(contains(html, ">Loss</text>"));  // nothing dashed in it
  CHECK_FALSE(contains(html, "Warning:"));
  for (int i = 0; i < 2; ++i) events.push_back({{"event", "warning"}, {"message", "the loss <rises>"}});
  CHECK(count(page(Event::object(), events), "<strong>Warning:</strong> the loss &lt;rises&gt;") == 1);
}

TEST_CASE("rounds of a training have a colour each, what the validation rows say is dashed, and every score has a chart", "[report]") {
  std::vector<Event> events;
  const auto train = [&](int round) {
    events.push_back({{"event", "round_begin"}, {"round", round}});
    for (int step = 1; step <= 2; ++step) {
      events.push_back({{"event", "log"}, {"step", step}, {"loss", 1.0 / step}});
      events.push_back({{"event", "evaluate"}, {"step", step}, {"eval_loss", 1.5 / step}, {"eval_accuracy", 0.4 * step}, {"eval_f1_macro", 0.3 * step}});
    }
  };
  train(1);
  train(2);
  const std::string html = page(Event::object(), events);
  CHECK(contains(html, "Loss (dashed: validation rows)</text>"));
  for (const char* css : {"series-a", "series-b"}) {
    INFO(css);
    CHECK(count(html, concat("<polyline class=\"curve ", css, " dash-2\"")) == 1);
    CHECK(count(html, concat("<polyline class=\"curve ", css, "\"")) == 3);  // loss and two scores
    CHECK(contains(html, concat("<circle class=\"dot ", css, "\"")));
  }
  CHECK(count(html, ">round 2</text>") == 3);
  CHECK(contains(html, ">Accuracy (validation rows)</text>"));
  CHECK(contains(html, ">F1, macro (validation rows)</text>"));
  for (int round = 3; round <= 5; ++round) train(round);
  const std::string of_many = page(Event::object(), events);
  CHECK(contains(of_many, "5 trainings laid over each other.<"));
  CHECK(contains(of_many, "<polyline class=\"curve series-a thin\""));
}

TEST_CASE("the page of a sweep shows all points and what they cost together", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, {}), "id=\"sweep\""));
  summary["sweep"] = Event::parse(R"json({
    "metric": "f1", "measured_on": "validation rows", "chosen": "point-2", "cost": {"flops": 3e12, "seconds": 65, "flops_frozen": 1e12, "unknown": 1},
    "points": [{"name": "point-1", "settings": ["data.template=<b>"], "value": 0.5, "interval": [0.4, 0.6], "cost": {"flops": 2e12, "seconds": 40}},
               {"name": "point-2", "settings": ["training.learning_rate=0.1"], "value": 0.7, "interval": null, "cost": {"flops": 1e12, "seconds": 20}},
               {"name": "point-3", "settings": ["training.learning_rate=9"], "failed": "the loss is nan", "cost": {"seconds": 5}}]})json");
  const std::string html = page(summary, {});
  CHECK(unbalanced_tag(html).empty());
  CHECK(contains(html, "This folder holds point-2, the best of 3 by f1 of the validation rows"));
  CHECK(contains(html, "data.template=&lt;b&gt;"));
  CHECK(contains(html, "3 points: 3 TFLOP"));
  CHECK(contains(html, "1 TFLOP of it in frozen layers, which the first point to read a text pays for all"));
  CHECK(contains(html, "of 1 point that diverged the time alone"));
  CHECK(contains(html, "diverged"));
  CHECK_FALSE(contains(html, ">money<"));  // nobody knows it
}

TEST_CASE("the page says how often the test rows had been opened", "[report]") {
  Event summary = example_summary();
  CHECK_FALSE(contains(page(summary, {}), "been opened"));
  const auto html = [&](const char* opening) {
    summary["opening"] = Event::parse(opening);
    return page(summary, {});
  };
  CHECK(contains(html(R"({"before": 0, "file": "runs/<o>.jsonl", "noted": true})"),
                 "had not been opened before, as far as runs/&lt;o&gt;.jsonl knows."));
  CHECK(contains(html(R"({"before": 1, "file": "o", "noted": true})"), "had been opened <b>1 time</b> before"));
  CHECK(contains(html(R"({"before": 2, "file": "o", "noted": false})"), "could not be noted there"));
  CHECK(contains(html(R"({"before": null, "file": "o", "noted": false})"), "is not known: o could not be read"));

  const auto text = [](const char* opening) { return opening_text(Event::parse(opening)); };
  CHECK(text(R"({"before": 0})") == "these test rows had not been opened before");
  CHECK(text(R"({"before": 1})") == "these test rows had been opened 1 time before");
  CHECK(text(R"({"before": null})") == "how often these test rows had been opened before is not known");
}
