// See dropout_mask.h. Words of 32 and 64 bits live in int64, whose products and sums wrap as the unsigned ones do.
#include "dropout_mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dropout_hash.h"
#include "fused.h"
#include "jit.h"

namespace attune::nn {

namespace {

constexpr std::int64_t kWord = 0xffffffff;

std::int64_t constant(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits);
}

/// x >> bits as of an unsigned number.
at::Tensor shifted(const at::Tensor& x, int bits) {
  return x.bitwise_right_shift(bits) & constant(~std::uint64_t{0} >> bits);
}

/// mix64 of base/random.h.
at::Tensor mixed(at::Tensor x) {
  x = x + constant(0x9e3779b97f4a7c15);
  x = (x ^ shifted(x, 30)) * constant(0xbf58476d1ce4e5b9);
  x = (x ^ shifted(x, 27)) * constant(0x94d049bb133111eb);
  return x ^ shifted(x, 31);
}

/// dropout_row_key and dropout_hash. All inputs of a compiled function have one format: the halves of a token's key, head and
/// feature come as float32 numbers that have their bits.
const std::string kKeepsCode = R"(
template <typename T> T attune_mix(T given) {
  unsigned long long x = given + 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
template <typename T> bool attune_keeps(T low, T high, T head, T feature, int64_t site_key, int64_t threshold) {
  const unsigned long long token = (static_cast<unsigned long long>(__float_as_uint(high)) << 32) | __float_as_uint(low);
  const unsigned long long row = attune_mix(static_cast<unsigned long long>(site_key) ^ attune_mix(token));
  unsigned int h = ((__float_as_uint(head) << 20) + __float_as_uint(feature)) * 0x9e3779b9u + static_cast<unsigned int>(row);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) + static_cast<unsigned int>(row >> 32);
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return (h >> 1) >= static_cast<unsigned int>(threshold);
}
)";

const std::string kDroppedCode = kKeepsCode + R"(
template <typename T>
T attune_dropped(T x, T low, T high, T head, T feature, int64_t site_key, int64_t threshold, double scale) {
  return attune_keeps(low, high, head, feature, site_key, threshold) ? x * static_cast<T>(scale) : static_cast<T>(0);
}
)";

const std::string kResidualCode = kKeepsCode + R"(
template <typename T>
T attune_residual(T x, T bias, T residual, T low, T high, T feature, int64_t site_key, int64_t threshold, double scale) {
  const bool keeps = attune_keeps(low, high, static_cast<T>(0), feature, site_key, threshold);
  return keeps ? residual + (x + bias) * static_cast<T>(scale) : residual;
}
)";

/// int64 […] → its 32-bit halves as float32 bits […, 2], low first.
at::Tensor halves(const at::Tensor& x) {
  return x.contiguous().unsqueeze(-1).view(at::kInt).view(at::kFloat);
}

/// 0, 1, … with the bits of int32 in float32, at least `count` of them: made once, not at each site.
at::Tensor bits_of_numbers(std::int64_t count, const at::Device& device) {
  static std::mutex mutex;
  // Never destroyed: at the program's end the GPU's memory may be gone already.
  static auto* const known = new std::map<at::DeviceIndex, at::Tensor>();
  const std::lock_guard<std::mutex> lock(mutex);
  at::Tensor& numbers = (*known)[device.index()];
  constexpr std::int64_t kFirst = 4096;
  if (!numbers.defined() || numbers.size(0) < count) {
    const auto options = at::TensorOptions().dtype(at::kInt).device(device);
    numbers = at::arange(std::max(kFirst, 2 * count), options).view(at::kFloat);
  }
  return numbers.narrow(0, 0, count);
}

at::Tensor features_of(const at::Tensor& x, const at::TensorOptions& options) {
  const at::Tensor features = at::arange(x.size(-1), options);
  if (x.dim() == 2) return features;
  return at::arange(x.size(1), options).view({-1, 1, 1}) * (std::int64_t{1} << 20) + features;
}

bool compiled(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat && jit::possible(x);
}

/// residual + dropped(x + bias), without a gradient.
at::Tensor residual_forward(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const DropoutSite& site) {
  if (!compiled(x) || !bias.defined() || !residual.defined()) {
    const at::Tensor branch = dropped(bias.defined() ? x + bias : x, site);
    return residual.defined() ? residual + branch : branch;
  }
  const at::Tensor keys = halves(site.token_keys.unsqueeze(1));
  return jit::apply("attune_residual", kResidualCode,
                    {x, bias, residual, keys.select(-1, 0), keys.select(-1, 1), bits_of_numbers(x.size(-1), x.device())},
                    {constant(site.key), static_cast<std::int64_t>(dropout_threshold(site.p)), dropout_scale(site.p)});
}

class ResidualFunction : public torch::autograd::Function<ResidualFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& residual,
                            const at::Tensor& token_keys, double p, std::int64_t key) {
    context->save_for_backward({token_keys});
    context->saved_data["site"] = std::vector<std::int64_t>{key, bias.has_value(), residual.has_value()};
    context->saved_data["p"] = p;
    const DropoutSite site{.p = p, .key = static_cast<std::uint64_t>(key), .token_keys = token_keys};
    return residual_forward(x, bias.value_or(at::Tensor()), residual.value_or(at::Tensor()), site);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const std::vector<std::int64_t> saved = context->saved_data["site"].toIntVector();
    const DropoutSite site{.p = context->saved_data["p"].toDouble(),
                           .key = static_cast<std::uint64_t>(saved[0]),
                           .token_keys = context->get_saved_variables()[0]};
    const bool need_bias = saved[1] != 0 && context->needs_input_grad(1);
    torch::autograd::variable_list results(6);
    results[0] = dropped(gradients[0], site);
    if (need_bias) results[1] = fused::column_sums(results[0]);
    if (saved[2] != 0) results[2] = gradients[0];
    return results;
  }
};

}  // namespace

at::Tensor row_keys_of(const DropoutSite& site) {
  return mixed(mixed(site.token_keys) ^ constant(site.key));
}

at::Tensor dropped(const at::Tensor& x, const DropoutSite& site, double factor) {
  const at::Tensor token_keys = x.dim() == 2 ? site.token_keys.unsqueeze(1) : site.token_keys;
  const double scale = dropout_scale(site.p) * factor;
  if (!compiled(x)) {
    const at::Tensor row_keys = row_keys_of({.p = site.p, .key = site.key, .token_keys = token_keys});
    return x * kept(row_keys, features_of(x, row_keys.options()), site.p).to(x.scalar_type()).mul(scale);
  }
  const at::Tensor keys = halves(token_keys), features = bits_of_numbers(x.size(-1), x.device());
  const at::Tensor head = x.dim() == 2 ? bits_of_numbers(1, x.device()).view({1, 1})
                                       : bits_of_numbers(x.size(1), x.device()).view({-1, 1, 1});
  return jit::apply("attune_dropped", kDroppedCode, {x, keys.select(-1, 0), keys.select(-1, 1), head, features},
                    {constant(site.key), static_cast<std::int64_t>(dropout_threshold(site.p)), scale});
}

at::Tensor residual_and_dropped(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const DropoutSite& site) {
  if (!fused::recording({x, bias, residual})) return residual_forward(x, bias, residual, site);
  return ResidualFunction::apply(x, fused::optional(bias), fused::optional(residual), site.token_keys, site.p,
                                 constant(site.key));
}

at::Tensor kept(const at::Tensor& row_keys, const at::Tensor& features, double p) {
  // dropout_hash, step by step.
  at::Tensor h = (features * constant(0x9e3779b9) + (row_keys & kWord)) & kWord;
  h = ((h ^ shifted(h, 16)) * constant(0x7feb352d)) & kWord;
  h = ((h ^ shifted(h, 15)) + shifted(row_keys, 32)) & kWord;
  h = (h * constant(0x846ca68b)) & kWord;
  h = h ^ shifted(h, 16);
  return shifted(h, 1) >= static_cast<std::int64_t>(dropout_threshold(p));
}

at::Tensor dropout_mask(const DropoutSite& site, std::int64_t features) {
  const at::Tensor row_keys = row_keys_of(site);
  return kept(row_keys.unsqueeze(1), at::arange(features, row_keys.options()), site.p);
}

}  // namespace attune::nn
