// A small disk of its own for a test, where this process may mount one.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

namespace attune::testing {

namespace detail {

/// Into a namespace of mounts, and one of users where that takes one.
inline bool may_mount() {
  if (::unshare(CLONE_NEWNS) == 0) return true;
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  return true;
}

}  // namespace detail

/// What `action`, a number up to 250, returns in a process of its own that sees an empty disk of so many bytes ("24m") at `folder`;
/// nothing where this process may not mount. An exception is 251.
template <typename Action>
std::optional<int> on_small_disk(const std::string& folder, const std::string& size, Action action) {
  constexpr int kFailed = 251, kMayNot = 252;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_mounted = detail::may_mount() && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            ::mount("none", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    if (!is_mounted) ::_exit(kMayNot);
    try {
      ::_exit(action());
    } catch (...) {
      ::_exit(kFailed);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kMayNot) return std::nullopt;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

}  // namespace attune::testing
