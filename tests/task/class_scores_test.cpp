// Scores of single labels: which of them have an interval.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../src/task/scores.h"
#include "catch.h"

using namespace attune;

TEST_CASE("what the rows are has no interval, what is estimated from them has", "[task]") {
  const std::vector<data::Example> examples(12);
  std::vector<task::Encoded> encoded(examples.size());
  std::vector<task::Prediction> predictions(examples.size());
  for (std::size_t row = 0; row < examples.size(); ++row) {
    encoded[row].example = static_cast<std::int64_t>(row);
    encoded[row].label = static_cast<std::int64_t>(row % 3);
    predictions[row].encoded = &encoded[row];
    predictions[row].logits = {row % 2 == 0 ? 1.0F : 0.0F, 0.5F, 0.25F};
    predictions[row].loss_sum = predictions[row].loss_weight = 1;
  }
  const auto scores = task::scores_of(task::score_classes(predictions, {"a", "b", "c"}), predictions, examples);
  CHECK(scores->metrics()["majority_rate"].get<double>() == Approx(1.0 / 3));
  const files::Json intervals = scores->intervals();
  CHECK(intervals["accuracy"].size() == 2);
  CHECK_FALSE(intervals.contains("majority_rate"));
}

TEST_CASE("where all labels are right accuracy has Wilson's interval, of groups where rows come in them", "[task]") {
  std::vector<data::Example> examples(12);
  std::vector<task::Encoded> encoded(examples.size());
  std::vector<task::Prediction> predictions(examples.size());
  for (std::size_t row = 0; row < examples.size(); ++row) {
    encoded[row].example = static_cast<std::int64_t>(row);
    encoded[row].label = static_cast<std::int64_t>(row % 2);
    predictions[row].encoded = &encoded[row];
    predictions[row].logits = {row % 2 == 0 ? 1.0F : 0.0F, 0.5F};
    predictions[row].loss_sum = predictions[row].loss_weight = 1;
  }
  const auto accuracy = [&] {
    return task::scores_of(task::score_classes(predictions, {"a", "b"}), predictions, examples)
        ->intervals()["accuracy"];
  };
  CHECK(accuracy()[0].get<double>() == Approx(0.7575).margin(1e-4));  // n / (n + z²)
  CHECK(accuracy()[1] == 1.0);
  for (std::size_t row = 0; row < examples.size(); ++row) examples[row].group = "group " + std::to_string(row / 4);
  CHECK(accuracy()[0].get<double>() == Approx(0.4385).margin(1e-4));  // of three
}
