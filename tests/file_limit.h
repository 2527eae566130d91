// A full disk, as far as one process can have one: its files may not grow.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace attune::testing {

/// Runs `action` with files limited to `bytes`, as on a full disk.
template <typename Action>
void with_file_limit(rlim_t bytes, Action action) {
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  action();
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, handler);
}

}  // namespace attune::testing
