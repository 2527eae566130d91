// Methods without a language model: what they learn, they learn from all that the training rows say.
#include <nlohmann/json.hpp>

#include "../../src/study/method_kinds.h"
#include "catch.h"

using namespace attune;
using namespace attune::study;

namespace {

data::Example row_of(const std::string& text, const std::string& pair, const std::string& label, double weight = 1) {
  data::Example row;
  row.text = text;
  row.has_pair = !pair.empty();
  row.text_pair = pair;
  row.target = data::ClassLabel{label};
  row.weight = weight;
  return row;
}

std::unique_ptr<Answers> answers_of(const char* kind, Workbench& bench, const std::string& split = "test") {
  const MethodCandidate candidate{};
  report::EventBus events;
  return method_kind(kind)
      .fit({.candidate = candidate, .seed = 1, .bench = bench, .events = events})
      ->answer(split, events);
}

Workbench bench_of(std::vector<data::Example> train, std::vector<data::Example> test) {
  Workbench bench;
  bench.rows.labels = {.kind = data::TargetKind::single, .names = {"card", "refund"}};
  bench.rows.train = std::move(train);
  bench.rows.test = std::move(test);
  return bench;
}

}  // namespace

TEST_CASE("words of both texts of a pair count", "[study][compare]") {
  std::vector<data::Example> train;
  for (int i = 0; i < 6; ++i) {
    train.push_back(row_of("a message", "my card is lost", "card"));
    train.push_back(row_of("a message", "my money came back", "refund"));
  }
  Workbench bench =
      bench_of(train, {row_of("a message", "money back", "refund"), row_of("a message", "lost card", "card")});
  CHECK(answers_of("words", bench)->predicted == std::vector<std::int64_t>{1, 0});
}

TEST_CASE("baselines weigh rows as trainings do", "[study][compare]") {
  std::vector<data::Example> train = {row_of("same words", "", "card"), row_of("same words", "", "card"),
                                      row_of("same words", "", "refund", 3)};
  Workbench bench = bench_of(train, {row_of("same words", "", "refund")});
  const auto most = answers_of("majority", bench);
  CHECK(most->predicted == std::vector<std::int64_t>{1});
  CHECK(most->probabilities[1] == Approx(0.6));
  CHECK(answers_of("words", bench)->predicted == std::vector<std::int64_t>{1});
  for (data::Example& row : bench.rows.train) row.weight = 1;
  CHECK(answers_of("majority", bench)->predicted == std::vector<std::int64_t>{0});
  CHECK(answers_of("words", bench)->predicted == std::vector<std::int64_t>{0});
}

TEST_CASE("a method answers the split that it is asked for", "[study][compare]") {
  Workbench bench = bench_of({row_of("my card", "", "card"), row_of("my money", "", "refund")},
                             {row_of("card", "", "card"), row_of("card", "", "card"), row_of("money", "", "refund")});
  bench.rows.validation = {row_of("money", "", "refund")};
  CHECK(answers_of("words", bench)->predicted == std::vector<std::int64_t>{0, 0, 1});
  CHECK(answers_of("words", bench, "validation")->predicted == std::vector<std::int64_t>{1});
}
