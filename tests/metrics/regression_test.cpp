// Regression metrics against scikit-learn's and scipy's.
#include "attune/metrics/regression.h"

#include "metrics/goldens.h"

using namespace attune::metrics;

TEST_CASE("regression metrics equal scikit-learn's and scipy's", "[metrics][golden]") {
  for (const auto& golden : attune::testing::metric_goldens("regression")) {
    INFO(golden["name"].get<std::string>());
    const auto gold = golden["gold"].get<std::vector<double>>(),
               predicted = golden["predicted"].get<std::vector<double>>();
    attune::testing::check_values(RegressionScorer(gold, predicted).values(), golden["values"]);
  }
}

TEST_CASE("regression with whole weights equals repeated rows, ranks included", "[metrics]") {
  const std::vector<double> gold = {1, 2, 2, 5, 9}, predicted = {2, 1, 3, 3, 4}, weights = {1, 3, 0, 2, 1};
  const std::vector<double> more_gold = {1, 2, 2, 2, 5, 5, 9}, more_predicted = {2, 1, 1, 1, 3, 3, 4};
  const auto repeated = RegressionScorer(more_gold, more_predicted).values();
  for (const auto& [name, value] : RegressionScorer(gold, predicted).values(weights)) {
    INFO(name);
    CHECK(value == Approx(value_of(repeated, name)).epsilon(1e-12));
  }
}
