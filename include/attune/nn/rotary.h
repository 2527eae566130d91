// Rotary positions (Su et al. 2021): pairs of features (f, f + half) of queries and keys turn by an angle that grows
// with the position. The frequencies are those of Transformers' modeling_rope_utils.py, computed in the same order in
// float32, so that angles agree to the bit far from position 0 too.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "attune/nn/layout.h"

namespace attune::nn {

/// How frequencies are changed for texts longer than those of pre-training: not at all; all divided by the factor; the
/// base grown with the length (NTK); a ramp between kept and divided ones (YaRN); factors of their own, for short and
/// for long texts; kept, blended or divided by wave length (Llama 3.1).
enum class RotaryScaling { none, linear, dynamic, yarn, longrope, llama3 };

struct RotarySpec {
  std::int64_t size = 0;  ///< features of a head that turn (the first ones); an odd number counts as the next even one
  double theta = 10000.0;
  RotaryScaling scaling = RotaryScaling::none;
  double factor = 1.0;
  std::int64_t max_positions = 0;            ///< dynamic: texts up to here keep their frequencies
  std::int64_t original_positions = 0;       ///< yarn, longrope, llama3: the length of pre-training
  double attention_factor = 1.0;             ///< yarn, longrope: cos and sin are multiplied by it
  double beta_fast = 32.0, beta_slow = 1.0;  ///< yarn: turns within original_positions that bound the ramp
  bool truncate = true;                      ///< yarn: the ramp begins and ends at whole features
  double low_frequency_factor = 1.0, high_frequency_factor = 4.0;  ///< llama3
  std::vector<double> short_factors = {}, long_factors = {};       ///< longrope: one a pair

  std::int64_t pairs() const { return (size + 1) / 2; }
  /// Frequencies depend on the length of the text.
  bool by_length() const { return scaling == RotaryScaling::dynamic || scaling == RotaryScaling::longrope; }
};

/// Angle per position of each pair, float32 [pairs], for a text of `length` tokens.
at::Tensor rotary_frequencies(const RotarySpec& spec, std::int64_t length);

struct RotaryTable {
  at::Tensor cos, sin;  ///< float32 [T, pairs], multiplied by the attention factor
};

/// The table of a packed stream. positions int64 [T]; `lengths` is the length of each sequence's whole text, which may
/// be more than its rows in the stream (past tokens).
RotaryTable rotary_table(const RotarySpec& spec, const at::Tensor& positions, const Layout& layout,
                         const std::vector<std::int32_t>& lengths);

/// x [T, heads, d] → the same with its first 2·pairs features turned. Differentiable in x.
at::Tensor rotate(const at::Tensor& x, const RotaryTable& table);

}  // namespace attune::nn
