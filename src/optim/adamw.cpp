// See adamw.h. Compiled with the flags of the fused kernels (CMakeLists.txt) and once for each instruction set.
#include "adamw.h"

#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define ATTUNE_EACH_INSTRUCTION_SET __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ATTUNE_EACH_INSTRUCTION_SET
#endif

namespace attune::optim {

ATTUNE_EACH_INSTRUCTION_SET
void adamw(const AdamWBuffers& buffers, std::int64_t begin, std::int64_t count, const AdamWFactors& given) {
  float* __restrict__ values = buffers.values + begin;
  const float* __restrict__ gradients = buffers.gradients + begin;
  float* __restrict__ means = buffers.means + begin;
  float* __restrict__ squares = buffers.squares + begin;
  const AdamWFactors f = given;
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = gradients[i] * f.gradient;
    const float mean = means[i] + (1.0f - f.beta1) * (gradient - means[i]);
    const float square = f.beta2 * squares[i] + (1.0f - f.beta2) * gradient * gradient;
    means[i] = mean;
    squares[i] = square;
    values[i] = f.keep * values[i] - f.rate * mean / (std::sqrt(square) / f.root_correction + f.epsilon);
  }
}

ATTUNE_EACH_INSTRUCTION_SET
void round_to_bfloat16(const float* values, std::int64_t count, std::uint16_t* rounded) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    const std::uint32_t nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    rounded[i] = static_cast<std::uint16_t>(values[i] != values[i] ? 0x7fc0u : nearest);
  }
}

ATTUNE_EACH_INSTRUCTION_SET
void decay(float* values, std::int64_t count, float keep) {
  for (std::int64_t i = 0; i < count; ++i) values[i] *= keep;
}

}  // namespace attune::optim
