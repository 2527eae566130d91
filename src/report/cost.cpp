// See cost.h.
#include "attune/report/cost.h"

#include <nlohmann/json.hpp>

namespace attune::report {

void CostTotals::on_event(const Event& event) {
  if (event.value("event", std::string()) != "cost") return;
  std::map<std::string, double>& sums = sums_[event.value("work", std::string())];
  const double lanes = lanes_of(event);
  for (const auto& [key, value] : event.items()) {
    if (!value.is_number() || key == "step" || key == "epoch" || key == "lanes") continue;
    sums[key] += value.get<double>() / (key == "step_seconds" ? lanes : 1.0);
  }
}

Event CostTotals::of(const std::string& work) const {
  const auto found = sums_.find(work);
  return found == sums_.end() ? Event() : Event(found->second);
}

}  // namespace attune::report
