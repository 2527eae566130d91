// See lanes.h.
#include "job/lanes.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "attune/adapt/freeze.h"
#include "attune/base/signals.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/report/phase.h"
#include "attune/train/cost.h"
#include "job/data_summary.h"
#include "job/kept_layers.h"

namespace attune::job {

namespace {

using files::Json;

/// Of what the fits of all lanes train together: values, gradients and two moments of a parameter take 16.
constexpr std::int64_t kLaneBytes = std::int64_t{256} << 20, kBytesOfParameter = 16;

bool is_for_displays(const Json& event) {
  const std::string kind = event.value("event", std::string());
  return kind == "step" || kind == "phase";
}

/// Lets the events of fits out in the order of the fits. Any thread may tell; the target is told by one at a time.
class EventsInOrder {
 public:
  EventsInOrder(const report::EventBus& target, std::size_t fits) : target_(target), held_(fits), ended_(fits, false) {}

  void tell(std::size_t fit, const report::Event& event) {
    const std::lock_guard lock(mutex_);
    if (fit == live_) return target_.emit(event);
    std::vector<report::Event>& held = held_[fit];
    // A display that is told late needs the latest step, not the way there.
    if (is_for_displays(event) && !held.empty() && held.back()["event"] == event["event"]) held.pop_back();
    held.push_back(event);
  }

  /// The fit tells no more; the one behind it is let out if it is its turn.
  void end(std::size_t fit) {
    const std::lock_guard lock(mutex_);
    ended_[fit] = true;
    while (live_ < ended_.size() && ended_[live_]) {
      if (++live_ < ended_.size()) let_out(live_);
    }
  }

 private:
  void let_out(std::size_t fit) {
    for (const report::Event& event : std::exchange(held_[fit], {})) target_.emit(event);
  }

  std::mutex mutex_;  ///< over all that follows, and while the target is told
  const report::EventBus& target_;
  std::size_t live_ = 0;  ///< the first that has not ended
  std::vector<std::vector<report::Event>> held_;
  std::vector<bool> ended_;
};

/// Of one fit.
class LaneEvents : public report::Observer {
 public:
  LaneEvents(EventsInOrder& order, std::size_t fit, std::size_t lanes) : order_(order), fit_(fit), lanes_(lanes) {}

  void on_event(const report::Event& event) override {
    const std::string kind = event.value("event", std::string());
    if (lanes_ == 1 || (kind != "cost" && kind != "phase_end")) return order_.tell(fit_, event);
    report::Event shared = event;
    shared["lanes"] = lanes_;
    order_.tell(fit_, shared);
  }

 private:
  EventsInOrder& order_;
  std::size_t fit_, lanes_;
};

/// The fits, and what became of those that were begun.
class Work {
 public:
  using Run = std::function<bool(std::size_t fit, const report::EventBus& events)>;

  Work(const Lanes& lanes, const report::EventBus& events, const Run& run)
      : lanes_(lanes), order_(events, lanes.fits()), run_(run), errors_(lanes.fits()) {}

  bool is_stopped() const { return stopped_; }

  /// The fits from `begin` to `end`, which share the threads in the same way.
  void round(std::size_t begin, std::size_t end) {
    next_ = begin;
    const std::size_t lanes = lanes_.beside(begin);
    if (lanes == 1) return lane(end, lanes_.threads(begin));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < lanes; ++i) threads.emplace_back([&] { lane(end, lanes_.threads(begin)); });
    threads.clear();  // joins them
    at::set_num_threads(at::get_num_threads());  // LibTorch gives later threads the number that was set last, on whatever thread
  }

  /// Throws the first error.
  void finish() {
    for (std::size_t fit = 0; fit < errors_.size(); ++fit) {
      if (errors_[fit]) std::rethrow_exception(errors_[fit]);
      order_.end(fit);
    }
  }

 private:
  /// Takes one fit after another.
  void lane(std::size_t end, int threads) {
    const StopOfThread stop(failed_);
    const ThreadsOfLane threads_of_lane(threads);
    for (std::size_t fit = next_++; fit < end && !stopped_; fit = next_++) {
      report::EventBus events;
      events.add(std::make_shared<LaneEvents>(order_, fit, lanes_.beside(fit)));
      try {
        if (!run_(fit, events)) stopped_ = true;
        order_.end(fit);
      } catch (...) {
        errors_[fit] = std::current_exception();
        failed_ = stopped_ = true;
      }
    }
  }

  const Lanes& lanes_;
  EventsInOrder order_;
  const Run& run_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;  ///< no fit is begun any more
  std::atomic<bool> failed_ = false;   ///< those that have begun stop, too
  std::vector<std::exception_ptr> errors_;
};

Lanes one_after_another(std::size_t fits) {
  return {fits, 1, run_threads()};
}

}  // namespace

Lanes::Lanes(std::size_t fits, std::size_t side_by_side, int threads)
    : fits_(fits), side_by_side_(std::clamp<std::size_t>(side_by_side, 1, std::max<std::size_t>(fits, 1))), threads_(threads) {}

std::size_t Lanes::beside(std::size_t fit) const {
  const std::size_t left_over = fits_ % side_by_side_;
  return fit < fits_ - left_over ? side_by_side_ : left_over;
}

int Lanes::threads(std::size_t fit) const {
  return std::max(1, threads_ / static_cast<int>(beside(fit)));
}

Lanes lanes_of_folds(const Prepared& prepared, std::size_t folds) {
  if (prepared.kept_stages == 0 || !execution_of(prepared.options).device.is_cpu()) return one_after_another(folds);
  const auto trained = std::max<std::int64_t>(1, prepared.model_summary["trained"].get<std::int64_t>());
  const std::int64_t small_enough = kLaneBytes / kBytesOfParameter / trained, threads = run_threads();
  const std::int64_t lanes = std::max<std::int64_t>(1, std::min(small_enough, threads));
  return {folds, static_cast<std::size_t>(lanes), run_threads()};
}

Lanes lanes_of_seeds(const Prepared& prepared) {
  const std::size_t seeds = prepared.options.seeds.size();
  return prepared.options.model.init == "random" ? one_after_another(seeds) : lanes_of_folds(prepared, seeds);
}

ThreadsOfLane::ThreadsOfLane(int threads) : before_(at::get_num_threads()) {
  if (threads != before_) at::set_num_threads(threads);
}

ThreadsOfLane::~ThreadsOfLane() {
  if (at::get_num_threads() != before_) at::set_num_threads(before_);
}

void run_lanes(const Lanes& lanes, const report::EventBus& events,
               const std::function<bool(std::size_t fit, const report::EventBus& events)>& fit) {
  Work work(lanes, events, fit);
  for (std::size_t begin = 0; begin < lanes.fits() && !work.is_stopped();) {
    std::size_t end = begin;
    while (end < lanes.fits() && lanes.beside(end) == lanes.beside(begin)) ++end;
    work.round(begin, end);
    begin = end;
  }
  work.finish();
}

void fill_prefix_cache(const Prepared& prepared, const Lanes& lanes, std::span<const Rows* const> splits,
                       const report::EventBus& events) {
  const bool asks_again = !prepared.hides_words();  // for the same texts
  if (lanes.beside(0) == 1 || !asks_again || !prepared.prefix_cache->has_room()) return;
  // Rows that lie in a file are too many to be held at once: lanes then compute what they come upon.
  if (std::ranges::any_of(splits, [](const Rows* split) { return split->encoded.is_in_file(); })) return;
  std::vector<const task::Encoded*> rows;
  for (const Rows* split : splits) {
    for (const task::Encoded& row : split->encoded) rows.push_back(&row);
  }
  const std::uint64_t seed = prepared.options.seeds.front();
  models::LoadedModel loaded = open_base(prepared, seed);
  const auto prefix = frozen_prefix(loaded, adapt::trainable_parameters(*loaded.model, prepared.options.tuning), prepared);
  report::Phase filling(events, "frozen layers", static_cast<std::int64_t>(rows.size()), thing_of(splits.front()->encoded));
  prefix->fill(std::move(rows), [&](std::int64_t done) {
    filling.progress(done);
    return stop_signal() != 0;
  });
  const train::Cost cost{.frozen = prefix->flops(), .seconds = filling.end()};
  Json event = {{"event", "cost"}};
  event.update(train::training_cost(cost));
  events.emit(event);
  give_back_base(prepared, seed, std::move(loaded));
}

}  // namespace attune::job
