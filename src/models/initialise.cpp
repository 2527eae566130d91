// See initialise.h.
#include "initialise.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "attune/base/random.h"
#include "attune/base/strings.h"

namespace attune::models {

namespace {

constexpr std::int64_t kGrain = 4096;  // normal numbers, some 20 ns each, that are worth waking a thread for

}  // namespace

at::Tensor initial_value(const Parameter& parameter, double initializer_range, std::uint64_t seed) {
  const at::IntArrayRef shape(parameter.shape);
  if (parameter.kind == ParameterKind::norm) {
    return at::full(shape, parameter.name.ends_with(".weight") ? parameter.initial_factor : 0.0, at::kFloat);
  }
  if (parameter.kind == ParameterKind::bias || parameter.kind == ParameterKind::buffer) {
    return at::zeros(shape, at::kFloat);
  }
  const RandomKey key(seed, concat("initialise/", parameter.name));
  at::Tensor value = at::empty(shape, at::kFloat);
  auto* out = value.mutable_data_ptr<float>();
  const double deviation = initializer_range * parameter.initial_factor;
  at::parallel_for(0, value.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      out[i] = static_cast<float>(deviation * key.normal(static_cast<std::uint64_t>(i)));
    }
  });
  if (parameter.padding_row) value.select(0, *parameter.padding_row).zero_();
  return value;
}

at::Tensor sinusoidal_positions(std::int64_t positions, std::int64_t features) {
  at::Tensor table = at::empty({positions, features}, at::kFloat);
  auto* out = table.mutable_data_ptr<float>();
  for (std::int64_t position = 0; position < positions; ++position) {
    for (std::int64_t j = 0; j < features; ++j) {
      const double exponent = 2.0 * static_cast<double>(j / 2) / static_cast<double>(features);
      const double angle = static_cast<double>(position) / std::pow(10000.0, exponent);
      *out++ = static_cast<float>(j % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return table;
}

}  // namespace attune::models
