// What variants' texts say together: of answers made by hand.
#include <nlohmann/json.hpp>

#include "../../src/study/stability_statistics.h"
#include "catch.h"

using namespace attune;
using namespace attune::study;

namespace {

using files::Json;

/// Rows "0" … and the wordings "a" and "b", whose texts are compared by ROUGE-L.
PromptJob text_job(std::size_t rows, bool has_assertions) {
  PromptJob job;
  job.kind = prompt::AnswerKind::text;
  job.metric = "rougeL";
  for (std::size_t row = 0; row < rows; ++row) {
    data::Example& added = job.rows.emplace_back();
    added.id = std::to_string(row);
    added.text = "text " + added.id;
    added.has_pair = true;
    added.text_pair = std::string("its own answer");
  }
  for (const char* name : {"a", "b"}) job.wordings.emplace_back().name = name;
  if (!has_assertions) return job;
  prompt::Assertion assertion;
  assertion.name = "n";
  assertion.contains = {"x"};
  job.assertions.emplace(std::vector{assertion}, "set.json");
  return job;
}

DesignPoint point_in(const PromptJob& job, std::size_t wording, const std::string& seed) {
  DesignPoint point{.variant = {.wording = job.wordings[wording], .examples = {}}, .levels = {}, .name = ""};
  point.levels = {{"wording", job.wordings[wording].name}, {"seed", seed}};
  point.name = job.wordings[wording].name + "/seed=" + seed;
  return point;
}

Json wrote(double rouge, const std::vector<std::string>& texts, const std::vector<double>& scores,
           const std::vector<int>& passed = {}) {
  return {{"metrics", {{"rougeL", rouge}}}, {"texts", texts}, {"scores", scores}, {"passed", passed}};
}

}  // namespace

TEST_CASE("texts of variants are compared row by row", "[study]") {
  PromptJob job = text_job(3, /*has_assertions=*/true);
  job.options.prompting.stability.max_flip_rate = 0.1;
  const std::vector<DesignPoint> points = {point_in(job, 0, "1"), point_in(job, 0, "2"), point_in(job, 1, "1"),
                                           point_in(job, 1, "2")};
  const std::vector<Json> answers = {
      wrote(0.5, {"a", "x", "q"}, {1, 0, 0.5}, {1, 1, 0}), wrote(0.5, {"a", "x", "r"}, {1, 0, 0.5}, {1, 1, 0}),
      wrote(0.2, {"b", "x", "s"}, {0, 0, 0.5}, {0, 1, 0}), wrote(0.9, {"a ", "y", "t"}, {1, 1, 0.5}, {1, 1, 0})};
  const Json found = stability_statistics(job, points, answers);

  CHECK(found["metric"] == "rougeL");
  CHECK(found["spread"]["lowest"] == 0.2);
  CHECK(found["spread"]["highest"] == 0.9);
  CHECK(found["shares"]["wording"]["means"]["b"].get<double>() == Approx(0.55));
  CHECK(found["differing_texts"].get<double>() == Approx((0.5 + 0.5 + 1) / 3));  // blanks at the end do not count
  CHECK(found["flip_rate"].get<double>() == Approx(0.5 / 3));
  CHECK(found["row_sd"].get<double>() == Approx((0.5 + 0.5 + 0) / 3));

  REQUIRE(found["fragile"].size() == 2);  // the third row scores alike
  const Json& first = found["fragile"][0];
  CHECK(first["id"] == "0");
  CHECK(first["text"] == "text 0");
  CHECK(first["sd"].get<double>() == Approx(0.5));
  CHECK(first["texts"] == 2);
  CHECK(first["flip_rate"].get<double>() == Approx(0.5));
  CHECK(first["lowest"] == Json{{"variant", "b/seed=1"}, {"score", 0.0}, {"text", "b"}});
  CHECK(first["highest"] == Json{{"variant", "a/seed=1"}, {"score", 1.0}, {"text", "a"}});

  CHECK(found["wordings"][0]["rougeL"] == 0.5);
  CHECK(found["wordings"][0]["row_sd"] == 0);
  CHECK(found["wordings"][1]["lowest"] == 0.2);
  CHECK(found["wordings"][1]["highest"] == 0.9);
  CHECK(found["wordings"][1]["row_sd"].get<double>() == Approx((0.70710678 + 0.70710678) / 3));
  CHECK(found["best"] == "b");
  CHECK(found["steadiest"] == "a");
  CHECK(found["gate"]["passed"] == false);
  CHECK_THAT(
      found["gate"]["failure"].get<std::string>(),
      ContainsSubstring("0.1667, at most 0.1000 was allowed: so often two variants give a row different verdicts"));
}

TEST_CASE("a wording of one variant changes as far as it is from the mean of all", "[study]") {
  const PromptJob job = text_job(2, /*has_assertions=*/false);
  std::vector<DesignPoint> points = {point_in(job, 0, "1"), point_in(job, 1, "1")};
  for (DesignPoint& point : points) point.levels.erase("seed");
  const std::vector<Json> answers = {wrote(0.5, {"a", "x"}, {1, 0}), wrote(0, {"b", "x"}, {0, 0})};
  const Json found = stability_statistics(job, points, answers);
  for (const Json& wording : found["wordings"]) CHECK(wording["row_sd"].get<double>() == Approx(0.25));
  CHECK(found["flip_rate"].is_null());
  CHECK(found["differing_texts"] == 0.5);
  CHECK(found["gate"]["passed"] == true);
}

TEST_CASE("rows whose label depends on the wording are told with both of their texts", "[study]") {
  PromptJob job = text_job(2, /*has_assertions=*/false);
  job.kind = prompt::AnswerKind::label;
  job.metric = "accuracy";
  job.labels.names = {"no", "yes"};
  job.rows[1].has_pair = true;
  job.rows[1].text_pair = std::string("and more");
  std::vector<DesignPoint> points = {point_in(job, 0, "1"), point_in(job, 1, "1")};
  for (DesignPoint& point : points) point.levels.erase("seed");
  const auto labelled = [](double accuracy, const std::vector<int>& labels) -> Json {
    return {{"metrics", {{"accuracy", accuracy}}}, {"labels", labels}};
  };
  const std::vector<Json> answers = {labelled(0.5, {0, 1}), labelled(0, {0, 0})};
  const Json fragile = stability_statistics(job, points, answers)["fragile"];
  REQUIRE(fragile.size() == 1);
  CHECK(fragile[0]["id"] == "1");
  CHECK(fragile[0]["text"] == "text 1\nand more");
  CHECK(fragile[0]["labels"] == Json{{"no", 1}, {"yes", 1}});
}
