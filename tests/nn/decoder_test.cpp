// What pre-norm decoders add: RMSNorm, rotary positions, gated activations, weights stored [in, out].
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rms_norm.h>

#include <cmath>

#include "attune/nn/activation.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "attune/nn/plain.h"
#include "attune/nn/rotary.h"
#include "nn/compare.h"

using namespace attune::nn;
namespace nn = attune::nn;
using attune::nn::testing::check_same;
using Tensors = std::vector<at::Tensor>;

namespace {

RotaryTable some_table(std::int64_t rows, std::int64_t pairs) {
  RotarySpec spec;
  spec.size = 2 * pairs;
  spec.theta = 100.0;
  return rotary_table(spec, at::arange(rows) * 3, make_layout({static_cast<std::int32_t>(rows)}), {});
}

}  // namespace

TEST_CASE("RMSNorm equals plain operators, on rows and on heads, with and without an offset", "[nn]") {
  for (const std::int64_t width : {3, 16, 100, 384}) {
    for (const double offset : {0.0, 1.0}) {
      const Tensors inputs{at::randn({70, width}), at::rand({width}) + 0.5};
      check_same([&](const Tensors& t) { return rms_norm(t[0], t[1], 1e-5, offset); },
                 [&](const Tensors& t) { return plain::rms_norm(t[0], t[1], 1e-5, offset); }, inputs, 3e-5);
    }
  }
  const at::Tensor heads = at::randn({24, 9, 3}).permute({1, 2, 0});  // the last dimension is not dense
  check_same([](const Tensors& t) { return rms_norm(t[0], t[1], 1e-6).transpose(1, 2); },
             [](const Tensors& t) { return plain::rms_norm(t[0], t[1], 1e-6, 0.0).transpose(1, 2); },
             {heads, at::randn({48}).slice(0, 0, 48, 2)}, 1e-5);
  const at::Tensor x = at::randn({7, 20}), weight = at::randn({20});
  CHECK(testing::distance(rms_norm(x, weight, 1e-5), at::rms_norm(x, {20}, weight, 1e-5)) < 1e-6);
}

TEST_CASE("turning equals plain operators, whole heads and a share of them", "[nn]") {
  for (const auto& [size, pairs] : {std::pair{8, 4}, {8, 1}, {64, 32}, {80, 10}, {6, 3}}) {
    const RotaryTable table = some_table(33, pairs);
    const at::Tensor x = at::randn({33, 3, size});
    check_same([&](const Tensors& t) { return rotate(t[0], table); },
               [&](const Tensors& t) { return plain::rotate(t[0], table); }, {x}, 1e-6);
    const at::Tensor view = at::randn({33, 3 * 3 * size}).view({33, 3, 3 * size}).narrow(2, size, size);
    check_same([&](const Tensors& t) { return rotate(t[0], table).transpose(1, 2); },
               [&](const Tensors& t) { return plain::rotate(t[0], table).transpose(1, 2); }, {view}, 1e-6);
  }
}

TEST_CASE("turned queries and keys see only their distance", "[nn]") {
  const RotaryTable table = some_table(12, 8);  // positions 0, 3, 6, …
  const at::Tensor one = at::randn({1, 1, 16});
  const at::Tensor turned = rotate(one.expand({12, 1, 16}), table).view({12, 16}).to(at::kDouble);
  const at::Tensor products = at::mm(turned, turned.t());
  for (std::int64_t distance = 0; distance < 12; ++distance) {
    const at::Tensor same = products.diagonal(distance);
    CHECK((same - same[0]).abs().max().item<double>() < 1e-4);
  }
  CHECK((turned.norm(2, 1) - one.norm()).abs().max().item<double>() < 1e-5);
}

TEST_CASE("frequencies by length are each sequence's own", "[nn]") {
  RotarySpec spec;
  spec.size = 8;
  spec.scaling = RotaryScaling::dynamic;
  spec.factor = 2.0;
  spec.max_positions = 4;
  const Layout layout = make_layout({3, 6, 3}, 16);
  const at::Tensor positions = at::arange(16);
  const RotaryTable together = rotary_table(spec, positions, layout, {3, 6, 9});
  for (const auto& [first, rows, length] : {std::tuple{0, 3, 3}, {3, 6, 6}, {9, 3, 9}}) {
    const RotaryTable alone = rotary_table(spec, positions.narrow(0, first, rows), make_layout({rows}), {length});
    CHECK(at::equal(together.cos.narrow(0, first, rows), alone.cos));
    CHECK(at::equal(together.sin.narrow(0, first, rows), alone.sin));
  }
  CHECK(together.cos.isfinite().all().item<bool>());
  CHECK_FALSE(at::equal(rotary_frequencies(spec, 6), rotary_frequencies(spec, 9)));
  CHECK(at::equal(rotary_frequencies(spec, 3), rotary_frequencies(spec, 4)));
}

TEST_CASE("gated activations equal plain operators, from two layers and from one", "[nn]") {
  for (const Activation activation :
       {Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::relu}) {
    const Tensors apart{2 * at::randn({45, 50}), at::randn({45, 50})};
    check_same([&](const Tensors& t) { return gated(t[0], t[1], activation); },
               [&](const Tensors& t) { return plain::gated(t[0], t[1], activation); }, apart, 2e-6);
    check_same(
        [&](const Tensors& t) {
          const Tensors parts = t[0].chunk(2, 1);
          return gated(parts[0], parts[1], activation).t();
        },
        [&](const Tensors& t) {
          const Tensors parts = t[0].chunk(2, 1);
          return plain::gated(parts[0], parts[1], activation).t();
        },
        {at::randn({45, 62})}, 2e-6);
  }
}

TEST_CASE("a weight stored [in, out] gives the products and gradients of its transpose", "[nn]") {
  const Tensors inputs{at::randn({70, 24}), at::randn({24, 10}), at::randn({10})};
  check_same([](const Tensors& t) { return conv1d(t[0], t[1], t[2]); },
             [](const Tensors& t) { return at::addmm(t[2], t[0], t[1]); }, inputs, 1e-5);
  check_same([](const Tensors& t) { return conv1d(t[0], t[1]).t(); },
             [](const Tensors& t) { return at::mm(t[0], t[1]).t(); }, {inputs[0], inputs[1]}, 1e-5);

  at::Tensor weight = inputs[1].clone().requires_grad_();
  const at::Tensor arena = at::ones({24 * 10});
  weight.mutable_grad() = arena.view({24, 10});
  at::Tensor plain_weight = inputs[1].clone().requires_grad_();
  for (int pass = 0; pass < 2; ++pass) {
    conv1d(inputs[0], weight).sum().backward();
    at::mm(inputs[0], plain_weight).sum().backward();
  }
  CHECK(weight.grad().const_data_ptr() == arena.const_data_ptr());
  CHECK(testing::distance(weight.grad() - 1, plain_weight.grad()) < 1e-5);
}

TEST_CASE("the decoders' kernels give the same bits for any number of threads, and let NaN through", "[nn]") {
  const RotaryTable table = some_table(300, 16);
  const at::Tensor seed = at::randn({300, 256});
  const auto pass = [&](const Tensors& inputs) {
    Tensors leaves;
    for (const at::Tensor& x : inputs) leaves.push_back(x.detach().requires_grad_());
    const at::Tensor normed = rms_norm(leaves[0], leaves[1], 1e-6);
    const at::Tensor y = gated(rotate(normed.view({300, 8, 32}), table).flatten(1), leaves[0], Activation::silu);
    y.backward(seed);
    return Tensors{y.detach(), leaves[0].grad(), leaves[1].grad()};
  };
  const Tensors inputs{at::randn({300, 256}), at::randn({256})};
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Tensors one = pass(inputs);
  for (const int threads : {2, 3}) {
    at::set_num_threads(threads);
    const Tensors more = pass(inputs);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(at::equal(one[i], more[i]));
  }
  at::set_num_threads(before);

  at::Tensor x = at::randn({4, 32});
  x[1][3] = std::nan("");
  CHECK(rms_norm(x, at::ones({32}), 1e-6).isnan().sum().item<int>() == 32);
  CHECK(gated(x, at::ones({4, 32}), Activation::silu).isnan().sum().item<int>() == 1);
  CHECK(rotate(x.view({4, 1, 32}), some_table(4, 16)).isnan().sum().item<int>() == 2);
}

TEST_CASE("a soft cap bounds and keeps small values", "[nn]") {
  const at::Tensor x = at::arange(-40, 41, at::kFloat) / 4;
  const at::Tensor y = softcap(x, 3.0);
  CHECK(y.abs().max().item<double>() <= 3.0);
  CHECK(testing::distance(y, (x.to(at::kDouble) / 3.0).tanh() * 3.0) < 1e-6);
}
