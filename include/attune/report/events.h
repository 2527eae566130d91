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
///   run_begin · data · model · train_begin {steps, rows} · log {step, epoch, loss, grad_norm, learning_rate,
///   tokens_per_second} evaluate {step, epoch, eval_*} · best {step, metric, value} · save {step, path} · early_stop
///   {step} · train_end {…} fold_begin {fold, folds, repeat, seed} · fold_end {…} · phase {name, done, total} · warning
///   {message} · run_end {…}
using Event = files::Json;

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const Event& event) = 0;
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
