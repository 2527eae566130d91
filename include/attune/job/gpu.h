// What the GPUs of this machine are, for the manifest and `attune info`, and the energy that they use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/energy.h"
#include "attune/files/json.h"

namespace attune::job {

struct Gpu {
  std::string name;         ///< "NVIDIA H200"
  std::int64_t memory = 0;  ///< bytes
  std::string bus;          ///< PCI address, by which the driver's parts know the same one: "0000:1b:00.0"
};

/// Those that the process sees, in the order of cuda:0, cuda:1, …; none where LibTorch finds no GPU it could use, and where
/// the driver does not answer.
std::vector<Gpu> gpus();

/// The counter of the GPU with this number (as gpus() counts them), from the driver's management library (NVML).
EnergyCounters gpu_energy(std::size_t number);

/// {"name", "memory"}
files::Json to_json(const Gpu& gpu);

}  // namespace attune::job
