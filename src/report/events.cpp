// See events.h.
#include "attune/report/events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace attune::report {

double lanes_of(const Event& event) {
  const auto lanes = event.find("lanes");
  return lanes != event.end() && lanes->is_number() ? std::max(1.0, lanes->get<double>()) : 1.0;
}

void HeldEvents::on_event(const Event& event) {
  if (target_) {
    target_->on_event(event);
  } else {
    held_.push_back(event);
  }
}

void HeldEvents::release_to(std::shared_ptr<Observer> target) {
  target_ = std::move(target);
  for (const Event& event : held_) target_->on_event(event);
  held_.clear();
}

}  // namespace attune::report
