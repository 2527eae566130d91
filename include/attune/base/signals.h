// SIGTERM, SIGINT and SIGUSR1 set a flag and nothing else; loops poll it. The second SIGINT ends the process at once.
#pragma once

#include <atomic>

namespace attune {

void install_stop_signals();
/// A training does not end because nobody reads its progress any more.
void ignore_broken_pipes();
/// A write beyond the limit on a file's size (`ulimit -f`) fails with EFBIG, as on a full disk, instead of ending the process.
void ignore_file_size_signal();
/// The signal that asked the program to stop, or 0.
int stop_signal();
/// For tests and for library use: as if `signal` had arrived.
void request_stop(int signal);

/// While it lives, stop_signal() says SIGTERM on the thread that made it once `stop` is set: the way to end work beside which
/// other work has failed.
class StopOfThread {
 public:
  explicit StopOfThread(const std::atomic<bool>& stop);
  ~StopOfThread();
  StopOfThread(const StopOfThread&) = delete;
  StopOfThread& operator=(const StopOfThread&) = delete;

 private:
  const std::atomic<bool>* before_;
};

}  // namespace attune
