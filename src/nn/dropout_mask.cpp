// See dropout_mask.h. Words of 32 and 64 bits live in int64, whose products and sums wrap as the unsigned ones do.
#include "dropout_mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "dropout_hash.h"
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

/// dropout_row_key; steps on int64 are those on uint64.
const char* const kRowKeyCode = R"(
template <typename T> T attune_mix(T given) {
  unsigned long long x = static_cast<unsigned long long>(given) + 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return static_cast<T>(x ^ (x >> 31));
}
template <typename T> T attune_row_key(T token_key, int64_t site_key) {
  return attune_mix(attune_mix(token_key) ^ static_cast<T>(site_key));
}
)";

/// dropout_hash. All inputs of a compiled function have one format: the halves of a row's key, head and feature come as
/// float32 numbers that have their bits.
const char* const kDroppedCode = R"(
template <typename T> T attune_dropped(T x, T low, T high, T head, T feature, int64_t threshold, double scale) {
  unsigned int h = ((__float_as_uint(head) << 20) + __float_as_uint(feature)) * 0x9e3779b9u + __float_as_uint(low);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) + __float_as_uint(high);
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return (h >> 1) >= static_cast<unsigned int>(threshold) ? x * static_cast<T>(scale) : static_cast<T>(0);
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

at::Tensor dropped_forward(const at::Tensor& x, const at::Tensor& row_keys, double p) {
  const double scale = dropout_scale(p);
  if (x.scalar_type() != at::kFloat || !jit::possible(x))
    return x * kept(row_keys, features_of(x, row_keys.options()), p).to(x.scalar_type()).mul(scale);
  const at::Tensor keys = halves(row_keys), features = bits_of_numbers(x.size(-1), x.device());
  const std::int64_t heads = x.dim() == 2 ? 1 : x.size(1);
  const at::Tensor head = bits_of_numbers(heads, x.device()).view({-1, 1, 1});
  return jit::apply("attune_dropped", kDroppedCode,
                    {x, keys.select(-1, 0), keys.select(-1, 1), x.dim() == 2 ? head.view({1, 1}) : head, features},
                    {static_cast<std::int64_t>(dropout_threshold(p)), scale});
}

class DroppedFunction : public torch::autograd::Function<DroppedFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& row_keys,
                            double p) {
    context->save_for_backward({row_keys});
    context->saved_data["p"] = p;
    return dropped_forward(x, row_keys, p);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::Tensor row_keys = context->get_saved_variables()[0];
    return {dropped_forward(gradients[0], row_keys, context->saved_data["p"].toDouble()), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor row_keys_of(const DropoutSite& site) {
  if (jit::possible(site.token_keys))
    return jit::apply("attune_row_key", kRowKeyCode, {site.token_keys}, {constant(site.key)});
  return mixed(mixed(site.token_keys) ^ constant(site.key));
}

at::Tensor dropped(const at::Tensor& x, const at::Tensor& row_keys, double p) {
  return DroppedFunction::apply(x, row_keys, p);
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
