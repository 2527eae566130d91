// See cost.h.
#include "attune/report/cost.h"

#include <nlohmann/json.hpp>

namespace attune::report {

void CostTotals::on_event(const Event& event) {
  if (event.value("event", std::string()) != "cost") return;
  std::map<std::string, double>& sums = sums_[event.value("work", std::string())];
  for (const auto& [key, value] : event.items()) {
    if (value.is_number() && key != "step" && key != "epoch") sums[key] += value.get<double>();
  }
}

Event CostTotals::of(const std::string& work) const {
  const auto found = sums_.find(work);
  return found == sums_.end() ? Event() : Event(found->second);
}

}  // namespace attune::report
