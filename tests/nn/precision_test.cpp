// Layers in bfloat16 and on half-precision weights: formats, gradients into float32 buffers, distance from float32.
#include "attune/nn/precision.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "../../src/nn/fused.h"
#include "attune/nn/activation.h"
#include "attune/nn/attention.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "attune/nn/rotary.h"
#include "attune/nn/vocabulary.h"
#include "nn/compare.h"
#include "without_kernels.h"

using namespace attune::nn;
namespace nn = attune::nn;
using attune::testing::WithoutKernels;
using Tensors = std::vector<at::Tensor>;

namespace {

at::Tensor rounded(const at::Tensor& x) {
  return x.to(at::kBFloat16).to(at::kFloat);
}

at::Tensor in_bfloat16(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const PrecisionGuard guard(Precision::bfloat16);
  return nn::linear(x, weight, bias);
}

double relative(const at::Tensor& got, const at::Tensor& want) {
  return ((got.to(at::kDouble) - want.to(at::kDouble)).norm() / want.to(at::kDouble).norm()).item<double>();
}

}  // namespace

TEST_CASE("a product in bfloat16 rounds its operands and its result, once each", "[nn]") {
  const at::Tensor x = at::randn({64, 32}), weight = at::randn({24, 32}), bias = at::randn({24});
  const at::Tensor y = in_bfloat16(x, weight, bias);
  CHECK(y.scalar_type() == at::kBFloat16);
  const at::Tensor exact = nn::linear(rounded(x).to(at::kDouble), rounded(weight), rounded(bias));
  CHECK(exact.scalar_type() == at::kDouble);
  CHECK(testing::distance(y, exact) < 0x1p-8);
  CHECK(relative(y, exact) > 1e-4);
}

TEST_CASE("a precision holds in its scope and thread only, backward keeps that of its forward pass", "[nn]") {
  const at::Tensor x = at::randn({4, 8}), weight = at::randn({8, 8}).requires_grad_();
  at::Tensor y;
  {
    const PrecisionGuard outer(Precision::bfloat16);
    y = nn::linear(x, weight);
    {
      const PrecisionGuard inner(Precision::float32);
      CHECK(nn::linear(x, weight).scalar_type() == at::kFloat);
    }
    CHECK(current_precision() == Precision::bfloat16);
    std::thread([] { CHECK(current_precision() == Precision::float32); }).join();
  }
  CHECK(current_precision() == Precision::float32);
  y.sum().backward();
  CHECK(weight.grad().scalar_type() == at::kFloat);
  CHECK(at::equal(weight.grad(), rounded(weight.grad())));
}

TEST_CASE("gradients of a product in bfloat16 add up in the float32 buffer, which stays", "[nn]") {
  const at::Tensor x = at::randn({64, 32}).requires_grad_(), seed = at::randn({64, 24});
  at::Tensor weight = at::randn({24, 32}).requires_grad_(), bias = at::randn({24}).requires_grad_();
  const at::Tensor arena = at::ones({24 * 32});
  weight.mutable_grad() = arena.view({24, 32});
  for (int pass = 0; pass < 2; ++pass) in_bfloat16(x, weight, bias).backward(seed.to(at::kBFloat16));
  CHECK(weight.grad().const_data_ptr() == arena.const_data_ptr());
  CHECK(x.grad().scalar_type() == at::kFloat);
  CHECK(bias.grad().scalar_type() == at::kFloat);
  CHECK(relative(arena.view({24, 32}) - 1, 2 * at::mm(seed.t(), x)) < 1e-2);
  CHECK(relative(x.grad(), 2 * at::mm(seed, weight)) < 1e-2);
  CHECK(testing::distance(bias.grad(), 2 * rounded(seed).sum(0)) < 1e-5);
}

TEST_CASE("products in bfloat16 read a weight's copy, forward and backward; others do not", "[nn]") {
  const at::Tensor values = at::randn({8, 8}), other = at::randn({8, 8}).to(at::kBFloat16);
  const LowRankTerm term{.a = at::randn({2, 8}), .b = at::randn({8, 2})};
  const at::Tensor labels = at::randint(8, {4}, at::kLong);
  const std::vector<std::pair<const char*, std::function<at::Tensor(const at::Tensor&, const Operand&)>>> products = {
      {"linear", [](const at::Tensor& x, const Operand& w) { return nn::linear(x, w); }},
      {"conv1d", [](const at::Tensor& x, const Operand& w) { return nn::conv1d(x, w); }},
      {"low rank", [&](const at::Tensor& x, const Operand& w) { return nn::linear(x, w, {}, term); }},
      {"vocabulary", [&](const at::Tensor& x, const Operand& w) {
         return vocabulary_cross_entropy({.x = x, .weight = w, .bias = {}, .precision = current_precision()}, labels, {}, 0.0).sum;
       }}};
  const at::Tensor input = at::randn({4, 8});
  for (const auto& [name, product] : products) {
    INFO(name);
    const auto run = [&](const Operand& weight, Precision precision, bool records) {
      const PrecisionGuard guard(precision);
      const at::Tensor x = input.clone().requires_grad_(records);
      const at::Tensor y = product(x, weight);
      if (records) y.sum().backward();
      return std::pair{y.detach(), x.grad()};
    };
    for (const bool records : {false, true}) {
      const auto [y, grad] = run({values, other}, Precision::bfloat16, records);
      const auto [want, want_grad] = run(other.to(at::kFloat), Precision::bfloat16, records);
      CHECK(at::equal(y, want));
      if (records) CHECK(at::equal(grad, want_grad));
      CHECK(at::equal(run({values, other}, Precision::float32, records).first, run(values, Precision::float32, records).first));
      const at::Tensor empty = at::empty({0}, at::kBFloat16);
      CHECK(at::equal(run({values, empty}, Precision::bfloat16, records).first, run(values, Precision::bfloat16, records).first));
    }
  }
}

TEST_CASE("an input that several products share is rounded once, and gives what it gives alone", "[nn]") {
  const at::Tensor input = at::randn({30, 16}), one = at::randn({8, 16}), other = at::randn({16, 8});
  const LowRankTerm term{.a = at::randn({2, 16}), .b = at::randn({8, 2})};
  const auto run = [&](bool share, bool records) {
    const PrecisionGuard guard(Precision::bfloat16);
    const at::Tensor x = input.clone().requires_grad_(records);
    const Operand read = share ? shared(x) : Operand(x);
    CHECK(read.rounded.defined() == share);
    const at::Tensor y = nn::linear(read, one) + nn::conv1d(read, other) + nn::linear(read, one, {}, term);
    if (records) y.sum().backward();
    return std::pair{y.detach(), x.grad()};
  };
  for (const bool records : {false, true}) {
    const auto [y, grad] = run(true, records);
    const auto [want, want_grad] = run(false, records);
    CHECK(at::equal(y, want));
    if (!records) continue;
    CHECK(grad.scalar_type() == at::kFloat);
    CHECK(at::equal(grad, want_grad));
    CHECK_FALSE(at::equal(grad, rounded(grad)));  // summed in float32
  }
  CHECK_FALSE(shared(input).rounded.defined());
}

TEST_CASE("half-precision weights compute in float32 exactly as their widened copies", "[nn]") {
  const at::Tensor x = at::randn({30, 16}), ids = at::randint(8, {30}, at::kLong);
  for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
    const auto wide = [](const at::Tensor& t) { return t.to(at::kFloat); };
    const at::Tensor weight = at::randn({16, 16}).to(dtype), scale = at::rand({16}).to(dtype),
                     bias = at::randn({16}).to(dtype);
    for (const bool records : {false, true}) {
      const at::Tensor in = x.detach().requires_grad_(records), same = x.detach().requires_grad_(records);
      const at::Tensor y = nn::linear(in, weight, bias);
      CHECK(at::equal(y, nn::linear(same, wide(weight), wide(bias))));
      const at::Tensor n = bias_dropout_residual_layer_norm(y, bias, in, {}, scale, bias, 1e-5);
      CHECK(at::equal(n, bias_dropout_residual_layer_norm(y, wide(bias), same, {}, wide(scale), wide(bias), 1e-5)));
      CHECK(at::equal(bias_activate(y, bias, Activation::gelu), bias_activate(y, wide(bias), Activation::gelu)));
    }
    const at::Tensor rows = nn::embedding(ids, weight);
    CHECK(rows.scalar_type() == at::kFloat);
    CHECK(at::equal(rows, nn::embedding(ids, wide(weight))));
  }
}

TEST_CASE("kernels compute of bfloat16 what they compute of its floats, in every instruction set", "[nn]") {
  const Layout layout = make_layout({20, 1, 9});
  constexpr std::int64_t kRows = 33, kWidth = 44;  // neither whole blocks nor whole vectors
  const DropoutSite site =
      DropoutKeys{.step_key = 1, .token_keys = at::randint(1LL << 40, {kRows}, at::kLong)}.site(0, 0.2);
  const AttentionSpec spec{.causal = true, .scale = 0.25, .dropout = site, .softcap = 5.0};
  const at::Tensor residual = at::randn({kRows, kWidth}), scale = at::rand({kWidth}), bias = at::randn({kWidth});
  const RotaryTable angles{.cos = at::rand({kRows, 5}), .sin = at::rand({kRows, 5})};
  const auto heads = [](const at::Tensor& x) { return x.view({kRows, 4, 11}); };
  std::vector<std::pair<std::string, testing::Function>> layers = {
      {"attention", [&](const Tensors& t) { return attention(heads(t[0]), heads(t[1]), heads(t[2]), layout, layout, spec); }},
      {"attention of float queries and keys", [&](const Tensors& t) {
         return attention(heads(t[0]).to(at::kFloat), heads(t[1]).to(at::kFloat), heads(t[2]), layout, layout, spec);
       }},
      {"rotation", [&](const Tensors& t) { return rotate(heads(t[0]), angles); }},
      {"dropout", [&](const Tensors& t) { return dropout(t[0], site); }},
      {"LayerNorm", [&](const Tensors& t) { return layer_norm(t[0], scale, bias, 1e-5); }},
      {"RMSNorm", [&](const Tensors& t) { return rms_norm(t[0], scale, 1e-5, 1.0); }},
      {"norm of a sum", [&](const Tensors& t) {
         return bias_dropout_residual_layer_norm(t[0], bias, residual + t[1], site, scale, bias, 1e-5);
       }},
      {"norm of a sum without dropout", [&](const Tensors& t) {
         return bias_dropout_residual_layer_norm(t[0], {}, residual + t[1], {}, scale, bias, 1e-5);
       }}};
  for (const Activation activation :
       {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::silu}) {
    const std::string number = std::to_string(static_cast<int>(activation));
    layers.emplace_back("activation " + number, [=](const Tensors& t) { return bias_activate(t[0], bias, activation); });
    layers.emplace_back("gate " + number, [=](const Tensors& t) { return gated(t[0], t[1], activation); });
  }
  Tensors halves, floats;
  for (int i = 0; i < 3; ++i) {
    halves.push_back(at::randn({kRows, kWidth}).to(at::kBFloat16));
    floats.push_back(halves.back().to(at::kFloat));
  }
  for (const kernels::Table* table : kernels::tables()) {
    kernels::use(*table);
    for (const auto& [name, layer] : layers) {
      INFO(name << ", kernels of " << table->name);
      const at::Tensor seed = rounded(at::randn_like(layer(floats)));
      const testing::Run exact = testing::run(layer, floats, {true, true, true}, seed);
      const testing::Run ours = testing::run(layer, halves, {true, true, true}, seed);
      const bool is_wide = name.find("orm") != std::string::npos || name == "rotation";
      CHECK(ours.value.scalar_type() == (is_wide ? at::kFloat : at::kBFloat16));
      CHECK(at::equal(ours.value, exact.value.to(ours.value.scalar_type())));
      for (std::size_t i = 0; i < 3; ++i) {
        REQUIRE(ours.gradients[i].defined() == exact.gradients[i].defined());
        if (ours.gradients[i].defined()) CHECK(at::equal(ours.gradients[i], exact.gradients[i].to(at::kBFloat16)));
      }
    }
    const at::Tensor x = at::randn({kRows, kWidth}).to(at::kBFloat16);
    CHECK(at::equal(fused::column_sums(x), fused::column_sums(x.to(at::kFloat))));
    at::Tensor sum = residual.clone();
    fused::add_to(sum, x);
    CHECK(at::equal(sum, residual + x.to(at::kFloat)));
  }
  kernels::use(*kernels::tables().front());
}

TEST_CASE("beside a branch in bfloat16 the residual's gradient is the one in float32", "[nn]") {
  const at::Tensor branch = at::randn({30, 16}).to(at::kBFloat16), scale = at::rand({16}), bias = at::randn({16});
  const DropoutSite site =
      DropoutKeys{.step_key = 1, .token_keys = at::randint(1LL << 40, {30}, at::kLong)}.site(0, 0.1);
  const at::Tensor other = at::randn({30, 16}), seed = at::randn({30, 16});
  for (const DropoutSite& dropout : {DropoutSite{}, site}) {
    const auto gradient = [&](const at::Tensor& x) {
      const at::Tensor residual = other.clone().requires_grad_();
      bias_dropout_residual_layer_norm(x, bias, residual, dropout, scale, bias, 1e-5).backward(seed);
      return residual.grad();
    };
    CHECK(at::equal(gradient(branch), gradient(branch.to(at::kFloat))));
  }
}

TEST_CASE("a number that is none stays so in bfloat16", "[nn]") {
  at::Tensor x = at::ones({2, 40}).to(at::kBFloat16);
  x[0].fill_(std::numeric_limits<float>::quiet_NaN());
  x[1][39].fill_(-std::numeric_limits<float>::infinity());
  for (const kernels::Table* table : kernels::tables()) {
    kernels::use(*table);
    const at::Tensor y = gated(at::ones({2, 40}).to(at::kBFloat16), x, Activation::silu);
    CHECK(y[0].isnan().all().item<bool>());
    CHECK(y[1][39].isinf().item<bool>());
    CHECK(y[1][0].item<float>() == rounded(at::silu(at::ones({1}))).item<float>());
  }
  kernels::use(*kernels::tables().front());
}

TEST_CASE("what follows a product takes bfloat16 and computes in float32, with kernels and without", "[nn]") {
  const Layout layout = make_layout({20, 1, 9});
  const AttentionSpec spec{.causal = false, .scale = 0.25, .dropout = {}};
  const DropoutSite site =
      DropoutKeys{.step_key = 1, .token_keys = at::randint(1LL << 40, {30}, at::kLong)}.site(0, 0.1);
  const at::Tensor residual = at::randn({30, 16}), scale = at::rand({16}), bias = at::randn({16});
  const std::vector<std::pair<const char*, testing::Function>> layers = {
      {"attention", [&](const Tensors& t) { return attention(t[0], t[1], t[2], layout, layout, spec); }},
      {"activation", [&](const Tensors& t) { return bias_activate(t[0].flatten(1), bias, Activation::gelu); }},
      {"relu", [&](const Tensors& t) { return bias_activate(t[0].flatten(1), bias, Activation::relu); }},
      {"dropout", [&](const Tensors& t) { return dropout(t[0].flatten(1), site); }},
      {"norm", [&](const Tensors& t) {
         return bias_dropout_residual_layer_norm(t[0].flatten(1), bias, residual, site, scale, bias, 1e-5);
       }}};
  Tensors halves, floats;
  for (int i = 0; i < 3; ++i) {
    halves.push_back(at::randn({30, 2, 8}).to(at::kBFloat16));
    floats.push_back(halves.back().to(at::kFloat));
  }
  for (const auto& [name, layer] : layers) {
    INFO(name);
    const testing::Run exact = testing::run(layer, floats, {true, true, true}, at::ones_like(layer(floats)));
    for (const bool kernels : {true, false}) {
      INFO("kernels " << kernels);
      const auto off = kernels ? nullptr : std::make_unique<WithoutKernels>();
      const testing::Run ours = testing::run(layer, halves, {true, true, true}, at::ones_like(layer(halves)));
      CHECK(ours.value.scalar_type() == (std::string(name) == "norm" ? at::kFloat : at::kBFloat16));
      CHECK(relative(ours.value, exact.value) < 6e-3);
      for (std::size_t i = 0; i < 3; ++i) {
        if (!exact.gradients[i].defined()) continue;
        CHECK(ours.gradients[i].scalar_type() == at::kBFloat16);
        CHECK(testing::distance(ours.gradients[i], exact.gradients[i]) < 2e-2);
      }
    }
  }
}
