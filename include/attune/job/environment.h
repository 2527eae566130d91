// What a run depends on besides its inputs: build, LibTorch, CPU features, threads.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::job {

files::Json environment();
/// 0 = all cores. Also pins MKL's and OpenMP's dynamic thread numbers, without which two threads may give other bits.
void set_threads(std::int64_t threads);
/// The threads that set_threads gave the process, those of LibTorch where nobody has called it: of all parts of a run together
/// (src/job/lanes.h).
int run_threads();

/// How busy the machine is before a run begins.
struct MachineLoad {
  double load = 0;            ///< of the last minute: jobs that ran or waited for a core
  unsigned cores = 1;
  bool waits_passively = false;  ///< OMP_WAIT_POLICY or GOMP_SPINCOUNT says how long threads spin
};
MachineLoad machine_load();
/// What to do where other jobs take all cores; "" elsewhere. OpenMP's threads spin while they wait for each other, so that
/// each waits for cores that the others burn: several times slower than threads that sleep.
std::string busy_hint(const MachineLoad& machine);

}  // namespace attune::job
