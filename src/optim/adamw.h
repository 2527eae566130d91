// The arithmetic of AdamW on the CPU: one pass over value, gradient and both moments.
#pragma once

#include <cstdint>

namespace attune::optim {

/// What one update multiplies with; worked out once for all elements of a parameter group.
struct AdamWFactors {
  float keep;      ///< 1 - lr · weight decay
  float gradient;  ///< of clipping
  float beta1, beta2;
  float rate;             ///< lr / (1 - β1ᵗ)
  float root_correction;  ///< √(1 - β2ᵗ)
  float epsilon;
};

/// Buffers of the same layout.
struct AdamWBuffers {
  float* values;
  const float* gradients;
  float* means;
  float* squares;
};

/// Updates the elements [begin, begin + count) (Loshchilov & Hutter 2019, algorithm 2, with the order of operations of
/// PyTorch's fused AdamW): w ← keep · w; m ← m + (1 - β1)(g - m); v ← β2 v + (1 - β2) g²; w ← w - rate · m / (√v /
/// root_correction + ε).
void adamw(const AdamWBuffers& buffers, std::int64_t begin, std::int64_t count, const AdamWFactors& factors);

/// rounded[i] = values[i] as bfloat16, to the nearest, ties to even.
void round_to_bfloat16(const float* values, std::int64_t count, std::uint16_t* rounded);

/// w ← keep · w: what is left of that where gradient and moments are zero.
void decay(float* values, std::int64_t count, float keep);

}  // namespace attune::optim
