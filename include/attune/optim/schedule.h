// Learning-rate schedules as pure functions of the step, with Transformers' names and formulas (optimization.py
// of 5.23).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace attune::optim {

struct ScheduleOptions {
  std::string type = "linear";
  double learning_rate = 5e-5;  ///< the base rate; polynomial and min_lr are stated in absolute rates
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 0;
  std::map<std::string, double> kwargs;  ///< lr_scheduler_kwargs
};

/// The factor on every group's learning rate. The update that follows `step` finished ones uses factor(step), so with a
/// warmup the first update has rate 0, as in the reference trainer.
class Schedule {
 public:
  /// Throws Error{usage} for an unknown type or keyword (with the nearest name), or one that the type needs and lacks.
  explicit Schedule(ScheduleOptions options);
  double factor(std::int64_t step) const;

 private:
  double after_warmup(double step) const;
  double argument(const std::string& name, double fallback) const;

  ScheduleOptions options_;
  double min_rate_ = 0;  ///< of the schedules that end above zero, as a share of learning_rate
};

std::vector<std::string> schedule_names();

/// TrainingArguments.warmup_steps: a number below 1 is a share of all steps, rounded up.
std::int64_t warmup_steps(double setting, std::int64_t total_steps);

}  // namespace attune::optim
