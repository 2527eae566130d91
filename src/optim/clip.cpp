// See clip.h.
#include "attune/optim/clip.h"

#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace attune::optim {

namespace {

constexpr std::int64_t kLanes =
    8;  // independent sums, so that the compiler can use vector registers without reordering

double sum_of_squares(const float* values, std::int64_t count) {
  std::array<double, kLanes> sums{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  for (; i < count; ++i) sums[i % kLanes] += static_cast<double>(values[i]) * values[i];
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

double gradient_norm(const tensor::ParameterArena& arena) {
  const at::Tensor& flat = arena.gradients().flat();
  if (!flat.is_cpu()) return at::linalg_vector_norm(flat, 2).item<double>();  // summed as a tree: float32 is enough
  const float* values = flat.const_data_ptr<float>();
  const std::vector<tensor::Piece>& pieces = arena.live();
  std::vector<double> sums(pieces.size());
  tensor::for_each_piece(pieces, [&](std::size_t i) { sums[i] = sum_of_squares(values + pieces[i].begin, pieces[i].count); });
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

double clip_factor(double norm, double max_norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

}  // namespace attune::optim
