// The metrics of each kind of prediction, and whether more or less of one is better: what settings that name a metric
// are checked against. The values themselves come from the other headers of this module.
#pragma once

#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune::metrics {

/// What is predicted for a row. Two classes have metrics of their own.
enum class Predicted : unsigned {
  one_of_two = 1u << 0,
  one_of_many = 1u << 1,
  label_set = 1u << 2,
  number = 1u << 3,
  tags = 1u << 4,
  answer = 1u << 5,
  masked_tokens = 1u << 6,
  next_tokens = 1u << 7,
  text = 1u << 8,  ///< that was generated
};

/// Names of the metrics that any of `kinds` has, in the order of the table. Some are undefined for some rows, as
/// `roc_auc` is where all rows are of one class.
std::vector<std::string> metric_names(std::initializer_list<Predicted> kinds);

/// Nothing for a name that stands in no row of the table.
std::optional<bool> greater_is_better(std::string_view metric);

/// What a metric can be.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// All numbers for a name that stands in no row of the table. F1 goes to 100 where `known`, the names that stand beside it,
/// hold exact_match (answers and generated texts, as the SQuAD script prints them), else to 1.
Bounds bounds_of(std::string_view metric, std::span<const std::string> known);

/// "did you mean 'eval_f1'? The metrics are eval_loss, eval_accuracy, …": what to do about an unknown `name`.
std::string metric_hint(std::string_view name, const std::vector<std::string>& known);

/// "eval_f1" → "f1": Transformers names the metrics of the validation rows so.
std::string_view without_eval_prefix(std::string_view metric);

}  // namespace attune::metrics
