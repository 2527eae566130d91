// What the GPUs of this machine are, for the manifest and `attune info`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"

namespace attune::job {

struct Gpu {
  std::string name;         ///< "NVIDIA H200"
  std::int64_t memory = 0;  ///< bytes
};

/// Those that the process sees, in the order of cuda:0, cuda:1, …; none where LibTorch finds no GPU it could use, and where
/// the driver does not answer.
std::vector<Gpu> gpus();

/// {"name", "memory"}
files::Json to_json(const Gpu& gpu);

}  // namespace attune::job
