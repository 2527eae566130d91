// Passes events on from a bus of their own: what observes that bus ends with it.
#pragma once

#include "attune/report/events.h"

namespace attune::report {

class Forward : public Observer {
 public:
  /// `events` must outlive it.
  explicit Forward(const EventBus& events) : events_(events) {}
  void on_event(const Event& event) override { events_.emit(event); }

 private:
  const EventBus& events_;
};

}  // namespace attune::report
