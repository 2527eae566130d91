// See metric_rules.h.
#include "metric_rules.h"

#include <algorithm>
#include <optional>

#include "attune/base/strings.h"
#include "attune/metrics/table.h"

namespace attune::config {

namespace {

/// The metrics that the task may turn out to have; what kind of labels "auto" means only the rows tell.
std::vector<std::string> possible_metrics(const job::RunOptions& options) {
  using metrics::Predicted;
  const std::string& task = options.model.task;
  const std::string& labels = options.data.labels;
  if (job::asks_labels(options)) return metrics::metric_names({Predicted::one_of_two, Predicted::one_of_many});
  if (task == "token-classification") return metrics::metric_names({Predicted::tags});
  if (task == "question-answering") return metrics::metric_names({Predicted::answer});
  if (task == "text-generation") {
    if (!options.training.predict_with_generate) return metrics::metric_names({Predicted::next_tokens});
    return metrics::metric_names({Predicted::next_tokens, Predicted::text});
  }
  if (task == "fill-mask") return metrics::metric_names({Predicted::masked_tokens});
  if (labels == "single") return metrics::metric_names({Predicted::one_of_two, Predicted::one_of_many});
  if (labels == "multi") return metrics::metric_names({Predicted::label_set});
  if (labels == "regression") return metrics::metric_names({Predicted::number});
  return metrics::metric_names(
      {Predicted::one_of_two, Predicted::one_of_many, Predicted::label_set, Predicted::number});
}

void check_name(const job::RunOptions& options, const std::string& metric, const char* key,
                std::vector<Violation>& found) {
  const std::vector<std::string> names = possible_metrics(options);
  const std::string name(metrics::without_eval_prefix(metric));
  const auto has = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (has(names)) return;
  if (options.model.task == "text-generation" && has(metrics::metric_names({metrics::Predicted::text}))) {
    found.push_back({{key, "training.predict_with_generate", "model.task"},
                     concat("'", metric, "' scores generated texts, and none are generated"),
                     "set training.predict_with_generate to true, or name another metric"});
    return;
  }
  found.push_back({{key, "model.task", "data.labels"},
                   concat(options.model.task, " has no metric '", metric, "'"),
                   metrics::metric_hint(name, names)});
}

void check_direction(const std::string& metric, bool more_is_better, std::vector<std::string> keys,
                     std::vector<Violation>& found) {
  const std::optional<bool> greater = metrics::greater_is_better(metrics::without_eval_prefix(metric));
  if (!greater || *greater == more_is_better) return;
  found.push_back({std::move(keys), concat("of '", metric, "' ", more_is_better ? "less" : "more", " is better"),
                   "leave the direction out"});
}

}  // namespace

std::vector<Violation> broken_metric_rules(const job::RunOptions& options) {
  const auto& stopping = options.early_stopping;
  const auto& training = options.training;
  std::vector<Violation> found;
  if (stopping.enabled) check_name(options, stopping.metric, "early_stopping.metric", found);
  if (training.metric_for_best_model) {
    check_name(options, *training.metric_for_best_model, "training.metric_for_best_model", found);
  }
  if (stopping.enabled && stopping.mode != "auto") {
    check_direction(stopping.metric, stopping.mode == "max", {"early_stopping.mode", "early_stopping.metric"}, found);
  }
  if (training.greater_is_better) {
    check_direction(training.metric_for_best_model.value_or(stopping.metric), *training.greater_is_better,
                    {"training.greater_is_better", "training.metric_for_best_model", "early_stopping.metric"}, found);
  }
  return found;
}

}  // namespace attune::config
