// See environment.h.
#include "attune/job/environment.h"

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <nlohmann/json.hpp>
#include <omp.h>
#include <torch/version.h>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

files::Json cpu_features() {
  files::Json features = files::Json::array();
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) features.push_back("avx2");
  if (__builtin_cpu_supports("avx512f")) features.push_back("avx512f");
  if (__builtin_cpu_supports("avx512vnni")) features.push_back("avx512_vnni");
  if (__builtin_cpu_supports("avx512bf16")) features.push_back("avx512_bf16");
#endif
  return features;
}

/// What set_threads gave the process: parts of a run that lie beside one another have fewer each.
std::atomic<int> threads_of_run = 0;

}  // namespace

files::Json environment() {
  return {{"attune", ATTUNE_VERSION},
          {"libtorch", TORCH_VERSION},
          {"cpu_capability", at::get_cpu_capability()},
          {"cpu_features", cpu_features()},
          {"threads", run_threads()}};
}

void set_threads(std::int64_t threads) {
  omp_set_dynamic(0);
  threads_of_run = threads > 0 ? static_cast<int>(threads) : static_cast<int>(std::thread::hardware_concurrency());
  at::set_num_threads(threads_of_run);
}

int run_threads() {
  const int set = threads_of_run;
  return set > 0 ? set : at::get_num_threads();
}

MachineLoad machine_load() {
  MachineLoad machine{.cores = std::max(1u, std::thread::hardware_concurrency())};
  if (::getloadavg(&machine.load, 1) != 1) machine.load = 0;
  machine.waits_passively = std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr;
  return machine;
}

std::string busy_hint(const MachineLoad& machine) {
  if (machine.waits_passively || machine.load < machine.cores) return "";
  return concat("other jobs keep this machine busy (load ", print_number("%.1f", machine.load), ", ", machine.cores,
                " cores): OMP_WAIT_POLICY=passive in the environment makes training several times faster beside them");
}

}  // namespace attune::job
