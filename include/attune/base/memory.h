// How much memory there is to spend.
#pragma once

#include <cstdint>

namespace attune {

/// Bytes that could be had now without swapping: what the system calls available, no more than the rest of the process's
/// control group (containers). 0 where the system does not say.
std::int64_t available_memory();

}  // namespace attune
