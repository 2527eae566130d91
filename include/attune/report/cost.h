// What a run has computed, summed from its events `cost` (docs/events.md): an observer, because trainings and evaluations
// begin and end in many places and none of them knows the others.
#pragma once

#include <map>
#include <string>

#include "attune/report/events.h"

namespace attune::report {

class CostTotals : public Observer {
 public:
  void on_event(const Event& event) override;
  /// The sums of all numbers of the events of this `work` ("training", "evaluation") but their step and epoch; null where
  /// there was none. Of seconds that `lanes` trainings shared each counts its part.
  Event of(const std::string& work) const;

 private:
  std::map<std::string, std::map<std::string, double>> sums_;
};

}  // namespace attune::report
