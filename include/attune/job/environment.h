// What a run depends on besides its inputs: build, LibTorch, CPU features, threads.
#pragma once

#include "attune/files/json.h"

namespace attune::job {

files::Json environment();
/// 0 = all cores. Also pins MKL's and OpenMP's dynamic thread numbers, without which two threads may give other bits.
void set_threads(std::int64_t threads);

}  // namespace attune::job
