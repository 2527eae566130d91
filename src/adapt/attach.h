// attach_adapter of attune/adapt/adapter.h, one kind each, and what they have in common.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <string>
#include <vector>

#include "attune/adapt/adapter.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"

namespace attune::adapt {

/// numbers(i) for every element, row-major; float32.
template <class Numbers>
at::Tensor filled(const std::vector<std::int64_t>& shape, const Numbers& numbers) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  auto* out = tensor.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) out[i] = static_cast<float>(numbers(static_cast<std::uint64_t>(i)));
  return tensor;
}

/// The random numbers that a tensor of this name starts from.
inline RandomKey initial_key(std::uint64_t seed, const std::string& name) {
  return RandomKey(seed, concat("initialise/", name));
}

/// torch's usual start of a linear layer that reads `in` features, of its bias too: U(-1/sqrt(in), 1/sqrt(in)).
at::Tensor uniform_start(const std::vector<std::int64_t>& shape, std::int64_t in, const RandomKey& key);
/// deviation · N(0, 1).
at::Tensor normal_start(const std::vector<std::int64_t>& shape, double deviation, const RandomKey& key);

/// A parameter that the adapter brings and trains; its handle. `value` is moved to the model's device.
at::Tensor add_parameter(models::Model& model, const std::string& name, const at::Tensor& value,
                         std::vector<int> stages);

void attach_lora(models::Model& model, const AdapterPlan& plan, std::uint64_t seed);
void attach_ia3(models::Model& model, const AdapterPlan& plan, std::uint64_t seed);
void attach_virtual_tokens(models::LoadedModel& loaded, const AdapterPlan& plan, std::uint64_t seed);

}  // namespace attune::adapt
