// How the benchmarks of kernels take time: the fastest of many runs, since on a shared machine medians measure the neighbours.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <vector>

namespace timing {

using Tensors = std::vector<at::Tensor>;
using Function = std::function<at::Tensor(const Tensors&)>;

inline double best_ms(const std::function<void()>& body) {
  double best = std::numeric_limits<double>::infinity();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20 || std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(300); ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

struct Times {
  double forward, both;  ///< milliseconds
};

inline Times measure(const Function& function, const Tensors& inputs) {
  for (const at::Tensor& x : inputs) {
    if (x.requires_grad()) x.mutable_grad() = at::zeros_like(x);
  }
  const at::Tensor seed = at::randn_like(function(inputs)).detach();
  Times times{};
  times.both = best_ms([&] { function(inputs).backward(seed); });
  const at::NoGradGuard no_grad;
  times.forward = best_ms([&] { function(inputs); });
  return times;
}

}  // namespace timing
