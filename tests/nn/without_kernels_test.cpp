// What runs on other devices, plain operators and padded attention, against the definitions and the kernels.
#include "without_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "../../src/nn/dropout_hash.h"
#include "attune/nn/activation.h"
#include "attune/nn/attention.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "nn/compare.h"

using namespace attune::nn;
namespace nn = attune::nn;
using attune::testing::WithoutKernels;
using Tensors = std::vector<at::Tensor>;

namespace {

DropoutSite some_site(double p, std::int64_t rows) {
  return DropoutKeys{.step_key = 11, .token_keys = at::randint(1LL << 40, {rows}, at::kLong)}.site(5, p);
}

AttentionSpec some_spec(double p, bool causal, std::int64_t rows) {
  return {.causal = causal, .scale = 0.3, .dropout = some_site(p, rows)};
}

/// Values and all gradients of `function` without kernels against those of `exact` in double precision.
void check_without_kernels(const testing::Function& function, const testing::Function& exact, const Tensors& inputs,
                           double tolerance) {
  Tensors wide;
  for (const at::Tensor& x : inputs) wide.push_back(x.to(at::kDouble));
  const std::vector<bool> wanted(inputs.size(), true);
  const at::Tensor seed = at::randn_like(function(inputs));
  const testing::Run theirs = testing::run(exact, wide, wanted, seed);
  const WithoutKernels plain;
  const testing::Run ours = testing::run(function, inputs, wanted, seed);
  CHECK(testing::distance(ours.value, theirs.value) < tolerance);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO("gradient of input " << i);
    CHECK(testing::distance(ours.gradients[i], theirs.gradients[i]) < tolerance);
  }
}

}  // namespace

TEST_CASE("the dropout mask by tensor operators is the one that its definition says", "[nn]") {
  const at::Tensor token_keys = at::randint(std::numeric_limits<std::int64_t>::max(), {40}, at::kLong);
  token_keys.narrow(0, 0, 20).neg_();  // keys use all 64 bits
  const DropoutSite site = DropoutKeys{.step_key = 0xfedcba9876543210, .token_keys = token_keys}.site(7, 0.3);
  const at::Tensor mask = dropout_mask(site, 600);
  const std::vector<std::uint64_t> row_keys = dropout_row_keys(site);
  std::int64_t different = 0;
  for (std::int64_t t = 0; t < 40; ++t) {
    for (std::int64_t f = 0; f < 600; ++f) {
      const bool keep = dropout_keeps(row_keys[t], static_cast<std::uint32_t>(f), dropout_threshold(0.3));
      if (mask[t][f].item<bool>() != keep) ++different;
    }
  }
  CHECK(different == 0);
}

TEST_CASE("padded attention equals the reference on ragged streams", "[nn]") {
  for (const std::vector<std::int32_t>& lengths :
       std::vector<std::vector<std::int32_t>>{{1}, {3, 1, 5}, {19, 33, 7}, {17, 0, 4}}) {
    for (const std::int64_t dead : {0, 6}) {
      Layout layout = make_layout(lengths);
      layout.total += dead;
      for (const bool causal : {false, true}) {
        for (const double p : {0.0, 0.2}) {
          const AttentionSpec spec = some_spec(p, causal, layout.total);
          const auto random = [&] { return at::randn({layout.total, 3, 8}); };
          check_without_kernels(
              [&](const Tensors& t) { return attention(t[0], t[1], t[2], layout, layout, spec); },
              [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], layout, layout, spec); },
              {random(), random(), random()}, 1e-5);
        }
      }
    }
  }
}

TEST_CASE("padded attention takes queries and keys of different lengths, and whatever dead rows hold", "[nn]") {
  const Layout q_layout = make_layout({1, 4, 20}, 30);
  const Layout kv_layout = make_layout({9, 6, 40}, 60);
  for (const bool causal : {false, true}) {
    const AttentionSpec spec = some_spec(0.1, causal, 30);
    check_without_kernels(
        [&](const Tensors& t) { return attention(t[0], t[1], t[2], q_layout, kv_layout, spec); },
        [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], q_layout, kv_layout, spec); },
        {at::randn({30, 2, 8}), at::randn({60, 2, 8}), at::randn({60, 2, 8})}, 1e-5);
  }
  const WithoutKernels plain;
  Tensors inputs;
  for (int i = 0; i < 3; ++i) {
    at::Tensor x = at::randn({20, 2, 8});
    x.narrow(0, 12, 8).fill_(std::numeric_limits<float>::quiet_NaN());
    inputs.push_back(x.requires_grad_());
  }
  const Layout layout = make_layout({5, 7}, 20);
  const at::Tensor y = attention(inputs[0], inputs[1], inputs[2], layout, layout, some_spec(0.1, false, 20));
  CHECK(y.narrow(0, 12, 8).abs().sum().item<float>() == 0);
  y.sum().backward();
  for (const at::Tensor& x : inputs) {
    CHECK(x.grad().narrow(0, 12, 8).abs().sum().item<float>() == 0);
    CHECK(x.grad().isfinite().all().item<bool>());
  }
}

TEST_CASE("layers without kernels give what they give with them", "[nn]") {
  const DropoutSite site = some_site(0.2, 40);
  const at::Tensor ids = at::randint(9, {40}, at::kLong);
  const auto compare = [](const testing::Function& function, const Tensors& inputs) {
    const std::vector<bool> wanted(inputs.size(), true);
    const at::Tensor seed = at::randn_like(function(inputs));
    const testing::Run with = testing::run(function, inputs, wanted, seed);
    const WithoutKernels plain;
    const testing::Run without = testing::run(function, inputs, wanted, seed);
    CHECK(testing::distance(without.value, with.value) < 1e-5);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      CHECK(testing::distance(without.gradients[i], with.gradients[i]) < 1e-5);
  };
  compare([&](const Tensors& t) { return bias_dropout_residual_layer_norm(t[0], t[1], t[2], site, t[3], t[4], 1e-5); },
          {at::randn({40, 24}), at::randn({24}), at::randn({40, 24}), at::rand({24}), at::randn({24})});
  compare([&](const Tensors& t) { return layer_norm_dropout(t[0], t[1], t[2], 1e-5, site); },
          {at::randn({40, 24}), at::rand({24}), at::randn({24})});
  compare([](const Tensors& t) { return bias_activate(t[0], t[1], Activation::gelu); },
          {at::randn({40, 24}), at::randn({24})});
  compare([&](const Tensors& t) { return dropout(t[0], site); }, {at::randn({40, 24})});
  compare([&](const Tensors& t) { return nn::embedding(ids, t[0], 3); }, {at::randn({9, 24})});
  compare([](const Tensors& t) { return nn::linear(t[0], t[1], t[2]); },
          {at::randn({40, 24}), at::randn({6, 24}), at::randn({6})});
}
