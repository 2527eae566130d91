// See memory.h.
#include "attune/base/memory.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace attune {

namespace {

/// The number that a file begins with.
std::optional<std::int64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

/// Bytes behind "<key> <KiB> kB" in a file of such lines.
std::optional<std::int64_t> bytes_in(const char* path, const std::string& wanted) {
  std::ifstream file(path);
  for (std::string key; file >> key; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    std::int64_t kibibytes = 0;
    if (key == wanted && file >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

/// Version 2 shows the group of a container at its root; "max" is no number: no limit.
std::int64_t rest_of_control_group() {
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto used = number_in("/sys/fs/cgroup/memory.current");
  return limit && used ? std::max<std::int64_t>(0, *limit - *used) : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::int64_t available_memory() {
  return std::min(bytes_in("/proc/meminfo", "MemAvailable:").value_or(0), rest_of_control_group());
}

std::int64_t peak_resident_memory() {
  // getrusage would also count what the process that started this program had in memory when it did.
  if (const auto peak = bytes_in("/proc/self/status", "VmHWM:")) return *peak;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

bool reset_peak_resident_memory() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5\n" << std::flush;  // proc(5): resets VmHWM to what is resident now
  return file.good();
}

void return_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace attune
