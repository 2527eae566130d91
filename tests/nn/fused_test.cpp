// Row-wise kernels (LayerNorm and what surrounds it, gates, dropout), matrix products and table look-ups against plain
// operators.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include "attune/nn/activation.h"
#include "attune/nn/dropout.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "attune/nn/plain.h"
#include "nn/compare.h"

using namespace attune::nn;
namespace nn = attune::nn;
using attune::nn::testing::check_same;
using Tensors = std::vector<at::Tensor>;

namespace {

DropoutSite some_site(double p, std::int64_t rows) {
  return DropoutKeys{.step_key = 11, .token_keys = at::randint(1LL << 40, {rows}, at::kLong)}.site(5, p);
}

/// Runs the function with 1 and with 2 threads and twice with 2: all the same bits.
void check_threads(const testing::Function& function, const Tensors& inputs) {
  const int before = at::get_num_threads();
  const std::vector<bool> wanted(inputs.size(), true);
  const at::Tensor seed = at::randn_like(function(inputs));
  at::set_num_threads(1);
  const testing::Run one = testing::run(function, inputs, wanted, seed);
  for (const int threads : {2, 2, 3}) {
    at::set_num_threads(threads);
    const testing::Run more = testing::run(function, inputs, wanted, seed);
    CHECK(at::equal(one.value, more.value));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (one.gradients[i].defined()) CHECK(at::equal(one.gradients[i], more.gradients[i]));
    }
  }
  at::set_num_threads(before);
}

}  // namespace

TEST_CASE("the fused LayerNorm equals bias, dropout, residual and LayerNorm in plain operators", "[nn]") {
  for (const auto& [rows, width] : {std::pair{1, 5}, {33, 16}, {70, 30}, {65, 384}}) {
    for (const double p : {0.0, 0.2}) {
      const DropoutSite site = some_site(p, rows);
      const Tensors inputs{at::randn({rows, width}), at::randn({width}), at::randn({rows, width}),
                           at::rand({width}) + 0.5, at::randn({width})};
      check_same(
          [&](const Tensors& t) { return bias_dropout_residual_layer_norm(t[0], t[1], t[2], site, t[3], t[4], 1e-5); },
          [&](const Tensors& t) {
            return plain::bias_dropout_residual_layer_norm(t[0], t[1], t[2], site, t[3], t[4], 1e-5);
          },
          inputs, 1e-5);
    }
  }
}

TEST_CASE("LayerNorm without branch, and with dropout behind it, equals plain operators", "[nn]") {
  const std::int64_t rows = 50, width = 72;
  const Tensors inputs{at::randn({rows, width}), at::rand({width}) + 0.5, at::randn({width})};
  for (const double p : {0.0, 0.3}) {
    const DropoutSite site = some_site(p, rows);
    check_same([&](const Tensors& t) { return layer_norm_dropout(t[0], t[1], t[2], 1e-12, site); },
               [&](const Tensors& t) { return plain::layer_norm_dropout(t[0], t[1], t[2], 1e-12, site); }, inputs,
               1e-5);
  }
  const Tensors no_bias{inputs[0], at::Tensor(), at::randn({rows, width}), inputs[1], inputs[2]};
  check_same(
      [&](const Tensors& t) { return bias_dropout_residual_layer_norm(t[0], t[1], t[2], {}, t[3], t[4], 1e-5); },
      [&](const Tensors& t) { return plain::bias_dropout_residual_layer_norm(t[0], t[1], t[2], {}, t[3], t[4], 1e-5); },
      no_bias, 1e-5);
}

TEST_CASE("fused functions accept views and strided gradients", "[nn]") {
  const at::Tensor wide = at::randn({40, 96});
  const at::Tensor x = wide.narrow(1, 10, 32);
  const at::Tensor residual = at::randn({32, 40}).t();
  const Tensors norm_inputs{x, at::randn({64}).slice(0, 0, 64, 2), residual, at::rand({32}), at::randn({32})};
  const DropoutSite site = some_site(0.1, 40);
  check_same(
      [&](const Tensors& t) { return bias_dropout_residual_layer_norm(t[0], t[1], t[2], site, t[3], t[4], 1e-5).t(); },
      [&](const Tensors& t) {
        return plain::bias_dropout_residual_layer_norm(t[0], t[1], t[2], site, t[3], t[4], 1e-5).t();
      },
      norm_inputs, 1e-5);
  const Tensors gate_inputs{x, at::randn({64}).slice(0, 0, 64, 2)};
  check_same([](const Tensors& t) { return bias_activate(t[0], t[1], Activation::gelu).t(); },
             [](const Tensors& t) { return plain::bias_activate(t[0], t[1], Activation::gelu).t(); }, gate_inputs,
             1e-5);
  check_same([&](const Tensors& t) { return dropout(t[0], site).t(); },
             [&](const Tensors& t) { return plain::dropout(t[0], site).t(); }, {x}, 1e-6);
}

TEST_CASE("dropout in every instruction set is the mask of its definition", "[nn]") {
  for (const std::int64_t width : {1, 7, 16, 100}) {
    const DropoutSite site = some_site(0.4, 21);
    check_same([&](const Tensors& t) { return dropout(t[0], site); },
               [&](const Tensors& t) { return plain::dropout(t[0], site); }, {at::randn({21, width})}, 1e-7);
  }
}

TEST_CASE("bias and activation in one pass equal plain operators", "[nn]") {
  for (const Activation activation : {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::silu,
                                      Activation::relu, Activation::tanh}) {
    for (const bool with_bias : {true, false}) {
      const Tensors inputs{2 * at::randn({45, 50}), with_bias ? at::randn({50}) : at::Tensor()};
      check_same([&](const Tensors& t) { return bias_activate(t[0], t[1], activation); },
                 [&](const Tensors& t) { return plain::bias_activate(t[0], t[1], activation); }, inputs, 2e-6);
    }
  }
}

TEST_CASE("fused activations are within 1e-6 of the exact value over the whole range", "[nn]") {
  const at::Tensor x = at::cat(Tensors{at::linspace(-12, 12, 200001), at::linspace(-100, 100, 2001)}).view({1, -1});
  for (const Activation activation :
       {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::silu}) {
    for (const kernels::Table* table : kernels::tables()) {
      kernels::use(*table);
      at::Tensor ours = x.clone().requires_grad_();
      at::Tensor exact = x.to(at::kDouble).requires_grad_();
      const at::Tensor y = bias_activate(ours, {}, activation);
      const at::Tensor z = activate(exact, activation);
      y.sum().backward();
      z.sum().backward();
      INFO(table->name << " activation " << static_cast<int>(activation));
      CHECK(((y - z).abs() / z.abs().clamp_min(1.0)).max().item<double>() < 1e-6);
      CHECK((ours.grad() - exact.grad()).abs().max().item<double>() < 1e-6);
    }
  }
  kernels::use(*kernels::tables().front());
}

TEST_CASE("a NaN that goes into a fused function comes out", "[nn]") {
  at::Tensor x = at::randn({4, 40});
  x[1][3] = std::numeric_limits<float>::quiet_NaN();
  for (const Activation activation : {Activation::gelu, Activation::gelu_tanh, Activation::silu}) {
    CHECK(bias_activate(x, {}, activation).isnan().sum().item<int>() == 1);
  }
  CHECK(layer_norm(x, at::ones({40}), at::ones({40}), 1e-5).isnan().sum().item<int>() == 40);
}

TEST_CASE("own kernels give the same bits for any number of threads", "[nn]") {
  const std::int64_t rows = 500, width = 384;
  const DropoutSite site = some_site(0.1, rows);
  check_threads(
      [&](const Tensors& t) { return bias_dropout_residual_layer_norm(t[0], t[1], t[2], site, t[3], t[4], 1e-5); },
      {at::randn({rows, width}), at::randn({width}), at::randn({rows, width}), at::rand({width}), at::randn({width})});
  check_threads([](const Tensors& t) { return bias_activate(t[0], t[1], Activation::gelu); },
                {at::randn({rows, width}), at::randn({width})});
  check_threads([&](const Tensors& t) { return dropout(t[0], site); }, {at::randn({rows, width})});
  const at::Tensor ids = at::randint(50, {rows}, at::kLong);
  check_threads([&](const Tensors& t) { return nn::embedding(ids, t[0]); }, {at::randn({50, width})});
}

TEST_CASE("linear equals torch's, with and without bias, whatever asks for a gradient", "[nn]") {
  const Tensors inputs{at::randn({70, 24}), at::randn({10, 24}), at::randn({10})};
  check_same([](const Tensors& t) { return nn::linear(t[0], t[1], t[2]); },
             [](const Tensors& t) { return at::linear(t[0], t[1], t[2]); }, inputs, 1e-5);
  const Tensors no_bias{inputs[0].t().contiguous().t(), inputs[1], at::Tensor()};
  check_same([](const Tensors& t) { return nn::linear(t[0], t[1], t[2]).t(); },
             [](const Tensors& t) { return at::linear(t[0], t[1]).t(); }, no_bias, 1e-5);
}

TEST_CASE("gradients of matrices and tables add up in a preset buffer, which stays the same buffer", "[nn]") {
  const at::Tensor ids = at::randint(9, {40}, at::kLong);
  at::Tensor table = at::randn({9, 20}).requires_grad_();
  at::Tensor weight = at::randn({6, 20}).requires_grad_();
  const at::Tensor arena = at::ones({9 * 20 + 6 * 20});
  table.mutable_grad() = arena.narrow(0, 0, 180).view({9, 20});
  weight.mutable_grad() = arena.narrow(0, 180, 120).view({6, 20});
  at::Tensor plain_table = table.detach().clone().requires_grad_();
  at::Tensor plain_weight = weight.detach().clone().requires_grad_();
  const at::Tensor seed = at::randn({40, 6});
  for (int pass = 0; pass < 2; ++pass) {
    nn::linear(nn::embedding(ids, table), weight).backward(seed);
    at::linear(at::embedding(plain_table, ids), plain_weight).backward(seed);
  }
  CHECK(table.grad().const_data_ptr() == arena.const_data_ptr());
  CHECK(testing::distance(arena.narrow(0, 0, 180).view({9, 20}) - 1, plain_table.grad()) < 1e-5);
  CHECK(testing::distance(arena.narrow(0, 180, 120).view({6, 20}) - 1, plain_weight.grad()) < 1e-5);
}

TEST_CASE("one weight used twice gets both gradients", "[nn]") {
  at::Tensor weight = at::randn({8, 8}).requires_grad_();
  at::Tensor plain_weight = weight.detach().clone().requires_grad_();
  const at::Tensor x = at::randn({5, 8});
  nn::linear(nn::linear(x, weight), weight).sum().backward();
  at::linear(at::linear(x, plain_weight), plain_weight).sum().backward();
  CHECK(testing::distance(weight.grad(), plain_weight.grad()) < 1e-5);
}
