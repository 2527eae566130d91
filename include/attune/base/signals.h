// SIGTERM, SIGINT and SIGUSR1 set a flag and nothing else; loops poll it. The second SIGINT ends the process at once.
#pragma once

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

}  // namespace attune
