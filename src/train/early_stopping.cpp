// See early_stopping.h.
#include "attune/train/early_stopping.h"

#include <cmath>

namespace attune::train {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool better(double value, double best, bool greater) {
  return greater ? value > best : value < best;
}

}  // namespace

bool greater_is_better(const std::string& metric, const std::string& mode) {
  if (mode == "min" || mode == "max") return mode == "max";
  return !metric.ends_with("loss");
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
