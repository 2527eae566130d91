// Answer scores against the SQuAD v2 script.
#include "attune/metrics/spans.h"

#include <cmath>

#include "metrics/goldens.h"

using namespace attune::metrics;

TEST_CASE("answer scores equal those of the SQuAD v2 script", "[metrics][golden]") {
  const auto golden = attune::testing::overlap_goldens("answers");
  std::vector<std::string> predicted;
  std::vector<std::vector<std::string>> gold;
  for (const auto& row : golden["rows"]) {
    predicted.push_back(row["predicted"]);
    gold.push_back(row["gold"]);
    INFO(predicted.back());
    CHECK(normalize_answer(predicted.back()) == row["normalized"].get<std::string>());
    const AnswerScores scores = score_answer(predicted.back(), gold.back());
    attune::testing::check_number("exact_match", scores.exact_match, row["exact_match"]);
    attune::testing::check_number("f1", scores.f1, row["f1"]);
  }
  attune::testing::check_values(answer_values(predicted, gold), golden["values"]);
}

TEST_CASE("questions that all have answers give no figures for unanswerable ones", "[metrics]") {
  const auto values = answer_values(std::vector<std::string>{"x"}, std::vector<std::vector<std::string>>{{"x"}});
  CHECK(values.size() == 2);
  CHECK(value_of(values, "exact_match") == 100);
}

TEST_CASE("perplexity is the exponential of the mean loss", "[metrics]") {
  CHECK(perplexity(2 * std::log(7.0), 2) == Approx(7));
  CHECK(std::isnan(perplexity(0, 0)));
}
