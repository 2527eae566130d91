// Folds and seeds side by side. Where little trains, a step is too small for all cores: they wait for one another longer than
// they compute. Then several fits run at a time, each on a thread of its own with a share of the run's threads.
//
// Nothing in train knows of it. What fits share guards itself: the opened base (job/prepare.h), the cache of the frozen layers
// (train/prefix_cache.h) and their hashes (job/frozen_hashes.h), the log (base/log.h). Everything else belongs to one fit: its
// model, task, events (below) and folder.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "attune/job/prepare.h"
#include "attune/report/events.h"

namespace attune::job {

/// How the fits of a run share its threads. It follows from the job and its number of threads alone, never from how many fits
/// are left to run: whoever repeats one of them (`--resume`, `verify`) computes it with the same number of threads, and gets the
/// same bits whatever runs beside it.
class Lanes {
 public:
  /// `side_by_side` of `fits` at a time, with `threads` together; all at least 1.
  Lanes(std::size_t fits, std::size_t side_by_side, int threads);

  std::size_t fits() const { return fits_; }
  /// How many run beside one another while this one does, itself among them. Those that are left over behind whole rounds share all
  /// threads.
  std::size_t beside(std::size_t fit) const;
  /// Of one fit's own.
  int threads(std::size_t fit) const;

 private:
  std::size_t fits_, side_by_side_;
  int threads_;
};

/// On the CPU, with frozen layers below those that train: as many as there are threads, and as keep values, gradients and moments
/// of what they train below 256 MiB. Elsewhere one after another with all threads, as are seeds from which frozen weights are drawn,
/// so that nothing of these is shared.
Lanes lanes_of_folds(const Prepared& prepared, std::size_t folds);
Lanes lanes_of_seeds(const Prepared& prepared);

/// The calling thread has so many threads while it lives.
class ThreadsOfLane {
 public:
  explicit ThreadsOfLane(int threads);
  ~ThreadsOfLane();
  ThreadsOfLane(const ThreadsOfLane&) = delete;
  ThreadsOfLane& operator=(const ThreadsOfLane&) = delete;

 private:
  int before_;
};

/// Runs fit(number, events) for each number below lanes.fits(). False from it says that a signal came: nothing more is begun then.
///
/// `events` gets what the fits tell as if each had waited for the one before it: of the first that has not ended at once, of the
/// others later, without those steps and phases in between that only displays need. Their `cost` and `phase_end` say how many
/// `lanes` there were, where there was more than one.
///
/// An error makes the fits beside it stop as a signal would. Thrown is, when all have ended, that of the smallest number.
void run_lanes(const Lanes& lanes, const report::EventBus& events,
               const std::function<bool(std::size_t fit, const report::EventBus& events)>& fit);

/// Sends the rows through the frozen layers with all cores, as far as there is room to keep what they give, before fits that will
/// want them begin side by side. Nothing where fits run one after another. The cost is told as one of training.
void fill_prefix_cache(const Prepared& prepared, const Lanes& lanes, std::span<const Rows* const> rows, const report::EventBus& events);

}  // namespace attune::job
