// Frequencies and tables of rotary.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "attune/base/error.h"
#include "attune/nn/rotary.h"
#include "attune/tensor/device.h"

namespace attune::nn {

namespace {

/// base^(2i / size), float32 [pairs].
at::Tensor wave_factors(double base, std::int64_t size) {
  return at::pow(base, at::arange(0, size, 2, at::kFloat) / static_cast<double>(size));
}

at::Tensor plain_frequencies(double base, std::int64_t size) {
  return 1.0 / wave_factors(base, size);
}

at::Tensor dynamic_frequencies(const RotarySpec& spec, std::int64_t length) {
  const auto size = static_cast<double>(spec.size);
  const auto usual = static_cast<double>(spec.max_positions);
  const double longer = std::max(static_cast<double>(length), usual);
  const double growth = spec.factor * longer / usual - (spec.factor - 1.0);
  return plain_frequencies(spec.theta * std::pow(growth, size / (size - 2.0)), spec.size);
}

/// The feature whose wave turns `turns` times within the original length.
double feature_of_turns(const RotarySpec& spec, double turns) {
  const double length = static_cast<double>(spec.original_positions) / (turns * 2.0 * std::numbers::pi);
  return static_cast<double>(spec.size) * std::log(length) / (2.0 * std::log(spec.theta));
}

at::Tensor yarn_frequencies(const RotarySpec& spec) {
  double low = feature_of_turns(spec, spec.beta_fast);
  double high = feature_of_turns(spec, spec.beta_slow);
  if (spec.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(spec.size - 1));
  if (low == high) high += 0.001;
  const at::Tensor ramp = ((at::arange(spec.size / 2, at::kFloat) - low) / (high - low)).clamp(0, 1);
  const at::Tensor kept = 1 - ramp;
  const at::Tensor waves = wave_factors(spec.theta, spec.size);
  return 1.0 / (spec.factor * waves) * (1 - kept) + 1.0 / waves * kept;
}

at::Tensor longrope_frequencies(const RotarySpec& spec, std::int64_t length) {
  const std::vector<double>& factors = length > spec.original_positions ? spec.long_factors : spec.short_factors;
  return 1.0 / (at::tensor(factors, at::kFloat) * wave_factors(spec.theta, spec.size));
}

at::Tensor llama3_frequencies(const RotarySpec& spec) {
  const auto original = static_cast<double>(spec.original_positions);
  const at::Tensor frequencies = plain_frequencies(spec.theta, spec.size);
  // A number over a tensor is the tensor's reciprocal times the number, as Python's operator rounds it.
  const at::Tensor waves = frequencies.reciprocal() * (2 * std::numbers::pi);
  const at::Tensor is_long = waves > original / spec.low_frequency_factor;
  const at::Tensor is_short = waves < original / spec.high_frequency_factor;
  const at::Tensor scaled = at::where(is_long, frequencies / spec.factor, frequencies);
  const at::Tensor smooth = (waves.reciprocal() * original - spec.low_frequency_factor) /
                            (spec.high_frequency_factor - spec.low_frequency_factor);
  const at::Tensor blended = (1 - smooth) * scaled / spec.factor + smooth * scaled;
  return at::where(is_long.logical_or(is_short), scaled, blended);
}

/// Texts of the same class have the same frequencies.
std::int64_t length_class(const RotarySpec& spec, std::int64_t length) {
  if (spec.scaling == RotaryScaling::longrope) return length > spec.original_positions ? 1 : 0;
  return std::max(length, spec.max_positions);
}

/// Each row's frequencies [rows, pairs]; dead rows get those of the first sequence.
at::Tensor frequencies_by_row(const RotarySpec& spec, std::int64_t rows, const Layout& layout,
                              const std::vector<std::int32_t>& lengths) {
  std::map<std::int64_t, std::int64_t> number_of_class;
  std::vector<at::Tensor> variants;
  const at::Tensor variant_of_row = at::zeros({rows}, at::kLong);
  auto* out = variant_of_row.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    const auto [place, is_new] = number_of_class.emplace(length_class(spec, lengths[i]), variants.size());
    if (is_new) variants.push_back(rotary_frequencies(spec, lengths[i]));
    out = std::fill_n(out, layout.length(i), place->second);
  }
  return at::stack(variants).index_select(0, variant_of_row);
}

}  // namespace

at::Tensor rotary_frequencies(const RotarySpec& spec, std::int64_t length) {
  switch (spec.scaling) {
    case RotaryScaling::none:
      return plain_frequencies(spec.theta, spec.size);
    case RotaryScaling::linear:
      return plain_frequencies(spec.theta, spec.size) / spec.factor;
    case RotaryScaling::dynamic:
      return dynamic_frequencies(spec, length);
    case RotaryScaling::yarn:
      return yarn_frequencies(spec);
    case RotaryScaling::longrope:
      return longrope_frequencies(spec, length);
    case RotaryScaling::llama3:
      return llama3_frequencies(spec);
  }
  internal_error("rotary_frequencies: unknown scaling");
}

RotaryTable rotary_table(const RotarySpec& spec, const at::Tensor& positions, const Layout& layout,
                         const std::vector<std::int32_t>& lengths) {
  const at::Tensor frequencies =
      spec.by_length() ? frequencies_by_row(spec, positions.size(0), layout, lengths) : rotary_frequencies(spec, 0);
  const at::Tensor angles = positions.to(at::kFloat).unsqueeze(1) * tensor::on_device(frequencies, positions.device());
  return {.cos = angles.cos() * spec.attention_factor, .sin = angles.sin() * spec.attention_factor};
}

}  // namespace attune::nn
