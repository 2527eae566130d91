// See gpu.h. LibTorch's own answer needs the headers of a CUDA toolkit, which nothing else here needs; the driver's libraries
// are asked directly, by functions that have not changed since CUDA 4 (the energy's counter since CUDA 10).
#include "attune/job/gpu.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "attune/base/strings.h"

namespace attune::job {

namespace {

/// A library that is opened when the program runs, where the machine has it. It is never closed: LibTorch computes with the
/// driver to the end.
class Library {
 public:
  explicit Library(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}

  template <class Function>
  bool find(const char* name, Function*& function) const {
    if (handle_ == nullptr) return false;
    function = reinterpret_cast<Function*>(::dlsym(handle_, name));
    return function != nullptr;
  }

 private:
  void* handle_;
};

class Driver {
 public:
  Driver() : library_("libcuda.so.1") {
    const bool complete = library_.find("cuInit", init_) && library_.find("cuDeviceGet", get_) &&
                          library_.find("cuDeviceGetName", name_) && library_.find("cuDeviceTotalMem_v2", memory_) &&
                          library_.find("cuDeviceGetPCIBusId", bus_);
    answers_ = complete && init_(0) == 0;
  }

  /// Empty where it does not answer.
  Gpu describe(int number) const {
    Gpu gpu;
    int device = 0;
    std::array<char, 256> text{};
    std::size_t bytes = 0;
    if (!answers_ || get_(&device, number) != 0) return gpu;
    if (name_(text.data(), static_cast<int>(text.size()), device) == 0) gpu.name = text.data();
    if (memory_(&bytes, device) == 0) gpu.memory = static_cast<std::int64_t>(bytes);
    if (bus_(text.data(), static_cast<int>(text.size()), device) == 0) gpu.bus = text.data();
    return gpu;
  }

 private:
  Library library_;
  int (*init_)(unsigned) = nullptr;
  int (*get_)(int*, int) = nullptr;
  int (*name_)(char*, int, int) = nullptr;
  int (*memory_)(std::size_t*, int) = nullptr;
  int (*bus_)(char*, int, int) = nullptr;
  bool answers_ = false;
};

/// The part of NVML that counts energy.
class Management {
 public:
  Management() : library_("libnvidia-ml.so.1") {
    const bool complete = library_.find("nvmlInit_v2", init_) && library_.find("nvmlErrorString", error_) &&
                          library_.find("nvmlDeviceGetHandleByPciBusId_v2", find_) &&
                          library_.find("nvmlDeviceGetTotalEnergyConsumption", energy_);
    problem_ = !complete ? "libnvidia-ml.so.1 is not there, or knows no energy" : problem_of(init_());
  }

  /// Millijoules since the driver was loaded into `out`; what was wrong, or "".
  std::string read(const std::string& bus, unsigned long long& out) const {
    if (!problem_.empty()) return problem_;
    void* device = nullptr;
    const std::string problem = problem_of(find_(bus.c_str(), &device));
    return problem.empty() ? problem_of(energy_(device, &out)) : problem;
  }

 private:
  std::string problem_of(int code) const { return code == 0 ? "" : concat("NVML: ", error_(code)); }

  Library library_;
  int (*init_)() = nullptr;
  const char* (*error_)(int) = nullptr;
  int (*find_)(const char*, void**) = nullptr;
  int (*energy_)(void*, unsigned long long*) = nullptr;
  std::string problem_;
};

std::optional<double> joules_of(const Management& management, const std::string& bus) {
  unsigned long long millijoules = 0;
  if (!management.read(bus, millijoules).empty()) return std::nullopt;
  return 1e-3 * static_cast<double>(millijoules);
}

}  // namespace

EnergyCounters gpu_energy(std::size_t number) {
  static const Management management;
  const std::vector<Gpu> known = gpus();
  if (number >= known.size() || known[number].bus.empty()) return {.counters = {}, .missing = "the GPU does not say where it is"};
  const Gpu& gpu = known[number];
  unsigned long long first = 0;
  if (const std::string problem = management.read(gpu.bus, first); !problem.empty()) return {.counters = {}, .missing = problem};
  return {.counters = {{.name = gpu.name, .read = [bus = gpu.bus] { return joules_of(management, bus); }, .range = 0}},
          .missing = ""};
}

std::vector<Gpu> gpus() {
  std::vector<Gpu> found;
  if (!at::hasCUDA()) return found;
  static const Driver driver;
  for (int i = 0; i < static_cast<int>(at::getNumGPUs()); ++i) found.push_back(driver.describe(i));
  return found;
}

files::Json to_json(const Gpu& gpu) {
  return {{"name", gpu.name}, {"memory", gpu.memory}};
}

}  // namespace attune::job
