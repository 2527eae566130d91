// See events.h.
#include "attune/report/events.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace attune::report {

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
