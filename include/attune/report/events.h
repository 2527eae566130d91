// What happens during a run, as events: one JSON object each. Observers turn them into files, progress and reports; the
// training loop knows none of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attune/files/json.h"

namespace attune::report {

/// {"event": "log", "step": 10, "epoch": 0.5, "loss": 1.2, …}. Names and fields stand in docs/events.md.
using Event = files::Json;

/// How many trainings ran beside one another while what the event tells of took its seconds; 1 where it does not say.
double lanes_of(const Event& event);

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const Event& event) = 0;
};

/// Keeps events until there is somewhere to put them: nothing is written before a job is known to be sound.
class HeldEvents : public Observer {
 public:
  void on_event(const Event& event) override;
  /// Hands over what was kept, and from now on every event.
  void release_to(std::shared_ptr<Observer> target);

 private:
  std::vector<Event> held_;
  std::shared_ptr<Observer> target_;
};

/// Hands each event to every observer, in order of registration.
class EventBus {
 public:
  void add(std::shared_ptr<Observer> observer) { observers_.push_back(std::move(observer)); }
  void emit(const Event& event) const {
    for (const auto& observer : observers_) observer->on_event(event);
  }

 private:
  std::vector<std::shared_ptr<Observer>> observers_;
};

}  // namespace attune::report
