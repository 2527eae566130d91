// See gpu.h. LibTorch's own answer needs the headers of a CUDA toolkit, which nothing else here needs; the driver's library
// is asked directly, by functions that have not changed since CUDA 4.
#include "attune/job/gpu.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <array>
#include <nlohmann/json.hpp>

namespace attune::job {

namespace {

class Driver {
 public:
  Driver() : library_(::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) return;
    const bool complete = find("cuInit", init_) && find("cuDeviceGet", get_) && find("cuDeviceGetName", name_) &&
                          find("cuDeviceTotalMem_v2", memory_);
    answers_ = complete && init_(0) == 0;
  }

  /// Empty where it does not answer.
  Gpu describe(int number) const {
    Gpu gpu;
    int device = 0;
    std::array<char, 256> name{};
    std::size_t bytes = 0;
    if (!answers_ || get_(&device, number) != 0) return gpu;
    if (name_(name.data(), static_cast<int>(name.size()), device) == 0) gpu.name = name.data();
    if (memory_(&bytes, device) == 0) gpu.memory = static_cast<std::int64_t>(bytes);
    return gpu;
  }

 private:
  template <class Function>
  bool find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(::dlsym(library_, name));
    return function != nullptr;
  }

  void* library_;  ///< never closed: LibTorch computes with it to the end
  int (*init_)(unsigned) = nullptr;
  int (*get_)(int*, int) = nullptr;
  int (*name_)(char*, int, int) = nullptr;
  int (*memory_)(std::size_t*, int) = nullptr;
  bool answers_ = false;
};

}  // namespace

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
