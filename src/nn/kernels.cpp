// Which variants of the kernels this processor can run.
#include "kernels/kernels.h"

namespace attune::nn::kernels {

#ifdef __x86_64__
namespace avx512 {
extern const Table kTable;
}
namespace avx2 {
extern const Table kTable;
}
#endif
namespace baseline {
extern const Table kTable;
}

namespace {

std::vector<const Table*> runnable() {
  std::vector<const Table*> found;
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    found.push_back(&avx512::kTable);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2::kTable);
#endif
  found.push_back(&baseline::kTable);
  return found;
}

const Table*& chosen() {
  static const Table* table = tables().front();
  return table;
}

bool on = true;

}  // namespace

bool enabled() {
  return on;
}

void enable(bool wanted) {
  on = wanted;
}

const std::vector<const Table*>& tables() {
  static const std::vector<const Table*> found = runnable();
  return found;
}

const Table& table() {
  return *chosen();
}

void use(const Table& table) {
  chosen() = &table;
}

}  // namespace attune::nn::kernels
