// See signals.h.
#include "attune/base/signals.h"

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <unistd.h>
#include <utility>

namespace attune {

namespace {

std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not wait");
thread_local const std::atomic<bool>* stop_of_thread = nullptr;

void on_signal(int signal) {
  if (signal == SIGINT && received == SIGINT) _exit(128 + SIGINT);
  received = signal;
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaction(signal, &action, nullptr);
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

void ignore_file_size_signal() { std::signal(SIGXFSZ, SIG_IGN); }

int stop_signal() {
  if (const int signal = received; signal != 0) return signal;
  return stop_of_thread != nullptr && *stop_of_thread ? SIGTERM : 0;
}

void request_stop(int signal) { received = signal; }

StopOfThread::StopOfThread(const std::atomic<bool>& stop) : before_(std::exchange(stop_of_thread, &stop)) {}

StopOfThread::~StopOfThread() { stop_of_thread = before_; }

}  // namespace attune
