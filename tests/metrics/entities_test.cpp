// Entity scores against seqeval's.
#include "attune/metrics/entities.h"

#include "attune/base/error.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using Sequences = std::vector<std::vector<std::string>>;

TEST_CASE("entity scores equal seqeval's", "[metrics][golden]") {
  for (const auto& golden : attune::testing::metric_goldens("entities")) {
    INFO(golden["name"].get<std::string>());
    const auto gold = golden["gold"].get<Sequences>(), predicted = golden["predicted"].get<Sequences>();
    const auto report = EntityScorer(gold, predicted).report();
    attune::testing::check_values(report.values, golden["values"]);
    REQUIRE(report.per_type.size() == golden["per_type"].size());
    for (const auto& [type, scores] : report.per_type) {
      INFO(type);
      attune::testing::check_values(
          {{"precision", scores.precision}, {"recall", scores.recall}, {"f1", scores.f1}, {"support", scores.support}},
          golden["per_type"][type]);
    }
  }
}

TEST_CASE("an I- tag that continues nothing opens an entity", "[metrics]") {
  CHECK(find_entities(std::vector<std::string>{"I-PER", "I-PER", "I-LOC", "O", "B-LOC"}) ==
        std::vector<Entity>{{"PER", 0, 1}, {"LOC", 2, 2}, {"LOC", 4, 4}});
}

TEST_CASE("entity scores weigh sequences and refuse sequences of other lengths", "[metrics]") {
  const Sequences gold = {{"B-X", "O"}, {"B-X", "O"}}, predicted = {{"B-X", "O"}, {"O", "O"}};
  const std::vector<double> only_second = {0, 2};
  CHECK(value_of(EntityScorer(gold, predicted).report().values, "recall") == 0.5);
  CHECK(value_of(EntityScorer(gold, predicted).report(only_second).values, "recall") == 0);
  CHECK(value_of(EntityScorer(gold, predicted).report(only_second).values, "accuracy") == 0.5);
  // A type without weight is not averaged over.
  const Sequences other_type = {{"B-Y", "O"}, {"B-X", "O"}};
  CHECK(value_of(EntityScorer(other_type, other_type).report(only_second).values, "f1_macro") == 1);
  CHECK(EntityScorer(other_type, other_type).report(only_second).per_type.size() == 1);
  CHECK_THROWS_AS(EntityScorer(gold, Sequences{{"O"}, {"O", "O"}}), attune::Error);
}
