// What a run costs: work, time, energy, memory and money, for results, the terminal and the report. It watches the run's
// events and cannot change it; everything is counted from the beginning of the process, also after a resumption.
#pragma once

#include <memory>
#include <vector>

#include "attune/base/energy.h"
#include "attune/job/options.h"
#include "attune/models/model.h"
#include "attune/report/cost.h"
#include "attune/report/events.h"
#include "attune/report/phase.h"

namespace attune::job {

/// The counters that can be read where the model runs: the processor's packages, and a GPU's.
EnergyCounters energy_counters(const at::Device& device);

class CostMeter {
 public:
  /// Registers its observers with `events`. `energy`: energy_counters() of the device.
  CostMeter(const CostOptions& options, const models::Execution& execution, EnergyCounters energy, report::EventBus& events);

  /// Seconds by phase, as PhaseTotals has them.
  files::Json phases() const;
  /// Of a run of `seconds`, without what this itself takes: it measures the rate of matrix products where the options ask for it.
  ///   {"training": {"tokens", "supervised", "flops", "flops_forward", "flops_backward", "flops_frozen", "flops_recomputed",
  ///                 "step_seconds", "seconds", "joules", "money"},
  ///    "evaluation": {"tokens", "flops", "flops_forward", "flops_frozen", "seconds", "joules", "money"},
  ///    "run": {"flops", "seconds", "peak_memory", "joules", "money"},
  ///    "energy": {"sources", "missing"}, "currency", "matrix_rate": {"flops_per_second", "size", "precision", "device"},
  ///    "share_of_matrix_rate"}
  /// What nobody knows is left out: joules, money without a price, a rate that was not measured, work that was not done. "flops"
  /// are those of the model, without what was computed again.
  files::Json of_run(double seconds) const;

 private:
  files::Json of_work(const char* work, const std::vector<const char*>& phases) const;
  /// Price of the machine for these seconds and of this energy; null without a price, or where energy has one and is not known.
  files::Json money(double seconds, const files::Json& joules) const;
  void add_share(double run_seconds, files::Json& cost) const;

  CostOptions options_;
  models::Execution execution_;
  EnergyCounters counters_;
  std::shared_ptr<EnergyMeter> energy_;
  std::shared_ptr<report::CostTotals> totals_;
  std::shared_ptr<report::PhaseTotals> phases_;
};

}  // namespace attune::job
