// How often texts keep assertions: over seeds and rows, with what failed first.
#include "../../src/study/assertion_counts.h"

#include <nlohmann/json.hpp>

#include "catch.h"

using namespace attune;
using namespace attune::study;
using files::Json;

namespace {

/// A job of `rows` rows with two assertions: "polite" (contains please) and "short" (at most two words).
PromptJob job_of(std::size_t rows) {
  PromptJob job;
  prompt::Assertion polite, brief;
  polite.name = "polite";
  polite.contains = {"please"};
  brief.name = "short";
  brief.max_words = 2;
  job.set.assertions = {polite, brief};
  job.assertions.emplace(job.set.assertions, "set.json");
  for (std::size_t row = 0; row < rows; ++row) job.rows.emplace_back().id = "row-" + std::to_string(row);
  return job;
}

}  // namespace

TEST_CASE("assertions are counted over all texts, with the interval of as many texts as there are rows",
          "[study][text]") {
  const PromptJob job = job_of(4);
  AssertionCounts counts(job);
  counts.add({"please wait", "wait", "please wait a moment", "go on now"});
  counts.add({"please", "no", "please", "please stay"});
  const Json told = counts.assertions();
  INFO(told.dump(1));
  REQUIRE(told.size() == 2);
  CHECK(told[0]["name"] == "polite");
  CHECK(told[0]["failed"] == 3);
  CHECK(told[0]["rate"].get<double>() == Approx(5.0 / 8));
  // Wilson's of 2.5 of 4 texts.
  CHECK(told[0]["interval"][0].get<double>() == Approx(0.2194).margin(2e-4));
  CHECK(told[0]["interval"][1].get<double>() == Approx(0.9081).margin(2e-4));
  CHECK(told[0]["first"] == Json::array({{{"id", "row-1"}, {"text", "wait"}, {"why", "'please' does not occur"}},
                                         {{"id", "row-3"}, {"text", "go on now"}, {"why", "'please' does not occur"}},
                                         {{"id", "row-1"}, {"text", "no"}, {"why", "'please' does not occur"}}}));
  CHECK(told[1]["failed"] == 2);
  CHECK(told[1]["rate"].get<double>() == Approx(0.75));
  CHECK(counts.rate_of_all() == Approx(4.0 / 8));
  CHECK(counts.failures_of(1) == Json::array({{{"name", "polite"}, {"why", "'please' does not occur"}}}));
  CHECK(counts.failures_of(3).size() == 2);
  CHECK(counts.failures_of(0).empty());
}

TEST_CASE("of many failures the first five are shown, empty texts fail like others", "[study][text]") {
  const PromptJob job = job_of(7);
  AssertionCounts counts(job);
  counts.add(std::vector<std::string>(7));
  const Json told = counts.assertions();
  CHECK(told[0]["failed"] == 7);
  CHECK(told[0]["rate"] == 0.0);
  REQUIRE(told[0]["first"].size() == 5);
  CHECK(told[0]["first"][4]["id"] == "row-4");
  CHECK(told[1]["rate"] == 1.0);
  CHECK(told[1]["first"].empty());
  CHECK(counts.rate_of_all() == 0);
}
