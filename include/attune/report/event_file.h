// events.jsonl: every event of a run, one JSON line each, flushed at once.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "attune/report/events.h"

namespace attune::report {

/// Appends to the file. Where it already holds events (a resumed run), training that begins again at step k takes the
/// place of what the file says of that same training (seed, repeat and fold, or refit) behind step k; a torn last line
/// is dropped.
class EventFile : public Observer {
 public:
  /// Throws Error{storage} when the file cannot be read or written.
  explicit EventFile(std::string path);

  /// `step`, `phase` and `phase_begin` events are for progress displays and are not kept. A disk that is full for a while ends no
  /// training: what cannot be written now is a warning, and is written with a later event; Error{storage} when `run_end`
  /// cannot be written either.
  void on_event(const Event& event) override;

 private:
  struct Line {
    std::string text;
    std::string training;  ///< which training the event belongs to
    double step;           ///< -1 without a step
  };
  void read();
  void open();
  bool write_pending();
  void cut_behind(double step);

  std::string path_;
  std::vector<Line> earlier_;  ///< of the processes before this one
  std::string written_;        ///< by this process, kept while a cut may still have to rewrite the file
  std::string pending_;        ///< whole lines that are not in the file yet
  std::string training_;
  std::ofstream file_;
  std::uintmax_t size_ = 0;  ///< bytes of whole lines in the file
  bool warned_ = false;
};

/// The training that `event` opens ("seed 42", "seed 42 round 2", "repeat 1 fold 3", "refit"), or `current` when it opens none.
std::string training_after(const Event& event, const std::string& current);

/// The events of a file, in order; lines that are no events are left out. Empty where there is no file; Error{storage}
/// where it cannot be read.
std::vector<Event> read_events(const std::string& path);

}  // namespace attune::report
