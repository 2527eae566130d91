// The words of the progress displays, shared by the bar and the plain lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/report/events.h"

namespace attune::report {

/// 0.43128 → "0.4313"; large and tiny numbers with an exponent.
std::string short_number(double value);
/// 4210 → "4.2k".
std::string short_count(double value);

/// Follows the events and knows where the run is.
class ProgressState {
 public:
  /// `now` in monotonic seconds.
  void follow(const Event& event, double now);

  /// "seed 2/3", "seed 2/3 round 1/2", "fold 2/5", "repeat 1/2 fold 2/5", "refit" or "".
  const std::string& training() const { return training_; }
  std::int64_t step() const { return step_; }
  std::int64_t steps() const { return steps_; }
  double epoch() const { return epoch_; }
  /// The innermost phase and how far it is, "evaluating 64/96"; "" outside of any, and in the training itself.
  std::string phase() const;
  /// Whether steps are being made.
  bool trains() const { return !phases_.empty() && phases_.back().name == "training"; }
  /// The metric that chooses the best model, without "eval_".
  const std::string& chosen_metric() const { return chosen_metric_; }
  /// Seconds until the last step at the mean rate since this process began the training.
  std::optional<double> eta(double now) const;
  /// "4.2k tokens/s", else "12.3 steps/s", else "".
  std::string rate(double now) const;
  /// "loss 0.4312 · lr 1.7e-04" of the last log event, parts joined by `separator`.
  std::string losses(const std::string& separator) const;

 private:
  struct OpenPhase {
    std::string name;
    std::int64_t done, total;
  };
  void follow_phase(const Event& event, const std::string& kind);

  std::string training_, outer_;  ///< the latter without the round
  std::string chosen_metric_;
  std::vector<OpenPhase> phases_;
  std::int64_t step_ = 0;
  std::int64_t steps_ = 0;
  std::int64_t first_step_ = 0;
  double begun_ = 0;
  double epoch_ = 0;
  double tokens_per_second_ = 0;
  std::optional<double> loss_, learning_rate_;
};

/// A line for events that a person wants to keep: data, model, evaluations, folds, early stop; "" for the rest.
/// `chosen_metric` is shown even where it is not among the usual ones.
std::string notable_line(const Event& event, const std::string& chosen_metric);

/// A line for what only a log keeps: phases outside of a training, and checkpoints; "" for the rest.
std::string log_only_line(const Event& event);

}  // namespace attune::report
