// See signals.h.
#include "attune/base/signals.h"

#include <csignal>
#include <initializer_list>
#include <unistd.h>

namespace attune {

namespace {

volatile std::sig_atomic_t received = 0;

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

int stop_signal() { return received; }

void request_stop(int signal) { received = signal; }

}  // namespace attune
