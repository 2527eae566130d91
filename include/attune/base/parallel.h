// Work over many small items on several threads, for code that knows no LibTorch: threads start with the call and end
// with it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace attune {

struct ParallelOptions {
  std::size_t threads = 1;  ///< the calling one among them
  std::size_t run = 1;      ///< items that a thread takes at once
};

/// Calls work(i, end) for runs of the items 0 … count. The work advances `i`, which tells where an error came from.
/// Throws the error of the smallest place, after all threads have ended.
template <typename Work>
void parallel_runs(std::size_t count, const ParallelOptions& options, Work work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::pair<std::size_t, std::exception_ptr>> errors(options.threads, {count, nullptr});
  const auto run = [&](std::size_t thread) {
    for (std::size_t begin = next.fetch_add(options.run); begin < count; begin = next.fetch_add(options.run)) {
      std::size_t i = begin;
      try {
        work(i, std::min(begin + options.run, count));
      } catch (...) {
        errors[thread] = {i, std::current_exception()};
        return;  // runs are handed out in order: every smaller i is in work or done
      }
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t thread = 1; thread < options.threads; ++thread) helpers.emplace_back(run, thread);
  run(0);
  for (std::thread& helper : helpers) helper.join();
  const auto first =
      std::min_element(errors.begin(), errors.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (first->second) std::rethrow_exception(first->second);
}

}  // namespace attune
