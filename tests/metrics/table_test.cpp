// The table of metrics says what the scorers give.
#include "attune/metrics/table.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "attune/metrics/classification.h"
#include "attune/metrics/entities.h"
#include "attune/metrics/multilabel.h"
#include "attune/metrics/regression.h"
#include "attune/metrics/spans.h"
#include "catch.h"

namespace {

using namespace attune::metrics;

/// Names of the values and of the loss, without the baseline, sorted.
std::vector<std::string> names_of(const Values& values) {
  std::vector<std::string> names = {"loss"};
  for (const auto& [name, value] : values) {
    if (name != "majority_rate") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> table_names(Predicted kind) {
  std::vector<std::string> names = metric_names({kind});
  std::sort(names.begin(), names.end());
  return names;
}

Values class_values(std::size_t classes) {
  const std::vector<std::string> labels(classes, "label");
  const std::vector<std::int64_t> gold = {0, 1, 1}, predicted = {0, 1, 0};
  const std::vector<double> probabilities(3 * classes, 1.0 / static_cast<double>(classes));
  return ClassificationScorer({gold, predicted, probabilities, labels, {}}).values();
}

}  // namespace

TEST_CASE("the table of metrics names what each kind of prediction is scored by", "[metrics]") {
  CHECK(table_names(Predicted::one_of_two) == names_of(class_values(2)));
  CHECK(table_names(Predicted::one_of_many) == names_of(class_values(3)));

  const std::vector<std::string> labels = {"a", "b"};
  const std::vector<std::uint8_t> cells = {1, 0, 0, 1};
  const std::vector<double> probabilities = {0.9, 0.2, 0.4, 0.7};
  const MultilabelScorer sets({cells, cells, probabilities, labels, {}});
  CHECK(table_names(Predicted::label_set) == names_of(sets.values({})));

  const std::vector<double> gold = {1, 2, 4}, predicted = {1, 3, 3};
  CHECK(table_names(Predicted::number) == names_of(RegressionScorer(gold, predicted).values()));

  const std::vector<std::vector<std::string>> tags = {{"B-PER", "O"}};
  CHECK(table_names(Predicted::tags) == names_of(EntityScorer(tags, tags).report().values));

  const std::vector<std::string> answers = {"Ann", ""};
  const std::vector<std::vector<std::string>> gold_answers = {{"Ann"}, {}};  // with an unanswerable question: all names
  CHECK(table_names(Predicted::answer) == names_of(answer_values(answers, gold_answers)));
  CHECK(metric_names({Predicted::masked_tokens}) == std::vector<std::string>{"loss", "perplexity"});
}

TEST_CASE("the table says what a metric can be", "[metrics]") {
  const std::vector<std::string> of_classes = metric_names({Predicted::one_of_two});
  const std::vector<std::string> of_texts = metric_names({Predicted::next_tokens, Predicted::text});
  CHECK(bounds_of("f1", of_classes).high == 1);
  CHECK(bounds_of("f1", of_texts).high == 100);
  CHECK(bounds_of("exact_match", of_texts).high == 100);
  CHECK(bounds_of("rougeL", of_texts).high == 1);
  CHECK(bounds_of("NoAns_f1", metric_names({Predicted::answer})).high == 100);
  CHECK(bounds_of("perplexity", of_texts).low == 1);
  CHECK(bounds_of("mcc", of_classes).low == -1);
  CHECK(bounds_of("r2", metric_names({Predicted::number})).high == 1);
  CHECK(std::isinf(bounds_of("r2", {}).low));
  CHECK(std::isinf(bounds_of("majority_rate", of_classes).high));
}

TEST_CASE("the table says which way a metric is better", "[metrics]") {
  for (const char* less : {"loss", "log_loss", "hamming_loss", "brier", "ece", "mse", "rmse", "mae", "perplexity"}) {
    CHECK(greater_is_better(less) == false);
  }
  for (const char* more : {"accuracy", "f1", "mcc", "pr_auc", "r2", "exact_match"})
    CHECK(greater_is_better(more) == true);
  CHECK_FALSE(greater_is_better("cost").has_value());
  CHECK(without_eval_prefix("eval_f1") == "f1");
  CHECK(without_eval_prefix("f1") == "f1");
}
