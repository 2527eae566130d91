// See early_stopping.h.
#include "attune/train/early_stopping.h"

#include <cmath>

#include "attune/base/strings.h"
#include "attune/metrics/table.h"

namespace attune::train {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool better(double value, double best, bool greater) {
  return greater ? value > best : value < best;
}

std::string with_prefix(const std::string& metric) {
  return concat("eval_", metrics::without_eval_prefix(metric));
}

}  // namespace

bool greater_is_better(const std::string& metric, const std::string& mode) {
  if (mode == "min" || mode == "max") return mode == "max";
  return metrics::greater_is_better(metrics::without_eval_prefix(metric)).value_or(!metric.ends_with("loss"));
}

WatchedMetric best_model_metric(const TrainingOptions& training, const EarlyStoppingOptions& stopping) {
  const std::string watched = with_prefix(stopping.metric);
  const std::string name = training.metric_for_best_model ? with_prefix(*training.metric_for_best_model)
                           : stopping.enabled             ? watched
                                                          : std::string("eval_loss");
  const std::string mode = stopping.enabled && name == watched ? stopping.mode : "auto";
  return {.name = name, .greater = training.greater_is_better.value_or(greater_is_better(name, mode))};
}

WatchedMetric stopping_metric(const TrainingOptions& training, const EarlyStoppingOptions& stopping) {
  const std::string name = with_prefix(stopping.metric);
  const WatchedMetric best = best_model_metric(training, stopping);
  if (stopping.mode == "auto" && name == best.name) return best;
  return {.name = name, .greater = greater_is_better(name, stopping.mode)};
}

bool Best::update(double new_value, std::int64_t new_step) {
  const double worst = greater_ ? -kInfinity : kInfinity;
  if (!better(new_value, step ? value : worst, greater_)) return false;
  value = new_value;
  step = new_step;
  return true;
}

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options, bool greater)
    : best(greater ? -kInfinity : kInfinity),
      patience_(options.patience),
      threshold_(options.threshold),
      greater_(greater) {}

bool EarlyStopping::update(double value) {
  const bool improved = !started || (better(value, best, greater_) && std::fabs(value - best) > threshold_);
  started = true;
  waited = improved ? 0 : waited + 1;
  if (better(value, best, greater_)) best = value;
  return waited >= patience_;
}

}  // namespace attune::train
