// How much memory there is to spend, and how much was spent.
#pragma once

#include <cstdint>

namespace attune {

/// Bytes that could be had now without swapping: what the system calls available, no more than the rest of the process's
/// control group (containers). 0 where the system does not say.
std::int64_t available_memory();

/// The most bytes that this process has had in memory at one time since it began, mapped files included as far as they were
/// read.
std::int64_t peak_resident_memory();

/// From now on peak_resident_memory() counts anew. False where the system cannot do that (Linux can), and the peak stays.
bool reset_peak_resident_memory();

/// Gives memory that was freed, and that the C library would keep, back to the system: some milliseconds.
void return_free_memory();

}  // namespace attune
