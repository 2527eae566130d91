// Layers, attention, dropout and losses on a GPU beside the CPU.
#include "cuda.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "../../src/nn/attention_cuda.h"
#include "attune/nn/activation.h"
#include "attune/nn/attention.h"
#include "attune/nn/linear.h"
#include "attune/nn/losses.h"
#include "attune/nn/norm.h"
#include "attune/nn/precision.h"
#include "attune/nn/rotary.h"
#include "attune/nn/vocabulary.h"
#include "nn/compare.h"

using namespace attune::nn;
namespace nn = attune::nn;
using attune::testing::gpu;
using attune::testing::off_by;
using attune::testing::on_gpu;
using Tensors = std::vector<at::Tensor>;

namespace {

/// The same keys on a device.
DropoutSite site_on(const DropoutSite& site, const at::Device& device) {
  DropoutSite there = site;
  if (site) there.token_keys = site.token_keys.to(device);
  return there;
}

DropoutSite keyed_site(double p, std::int64_t rows) {
  const at::Tensor keys = at::randint(std::numeric_limits<std::int64_t>::max(), {rows}, at::kLong);
  keys.narrow(0, 0, rows / 2).neg_();  // all 64 bits
  return DropoutKeys{.step_key = 0xfedcba9876543210, .token_keys = keys}.site(5, p);
}

/// A function of tensors that the device brings, and of what it closes over for each device.
using OnDevice = std::function<at::Tensor(const Tensors&, const at::Device&)>;

/// Value and gradients of all inputs on the GPU against the CPU's.
void check_on_gpu(const OnDevice& function, const Tensors& inputs, double tolerance) {
  const std::vector<bool> wanted(inputs.size(), true);
  const auto on = [&](const at::Device& device) {
    return [&, device](const Tensors& given) { return function(given, device); };
  };
  const at::Tensor seed = at::randn_like(function(inputs, at::kCPU));
  const testing::Run cpu = testing::run(on(at::kCPU), inputs, wanted, seed);
  Tensors there;
  for (const at::Tensor& x : inputs) there.push_back(on_gpu(x));
  const testing::Run run = testing::run(on(gpu()), there, wanted, on_gpu(seed));

  CHECK(run.value.is_cuda());
  CHECK(off_by(run.value, cpu.value) < tolerance);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO("gradient of input " << i);
    CHECK(off_by(run.gradients[i], cpu.gradients[i]) < tolerance);
  }
}

struct Heads {
  std::vector<std::int32_t> lengths;
  std::int64_t dead = 0, heads = 2, size = 16;
  std::int64_t kv_heads = heads;
};

/// Attention in `type` on the GPU against the reference in double on the CPU; with layouts that were brought to the device,
/// or with plain ones. Twice, with the same bits.
void check_attention(const Heads& shape, const AttentionSpec& spec, at::ScalarType type, bool ragged) {
  Layout layout = make_layout(shape.lengths);
  layout.total += shape.dead;
  AttentionSpec there = spec;
  there.dropout = site_on(spec.dropout, gpu());
  const Layout device_layout = to_device(layout, gpu());
  const auto random = [&](std::int64_t heads) { return at::randn({layout.total, heads, shape.size}).to(type); };
  const Tensors inputs{random(shape.heads), random(shape.kv_heads), random(shape.kv_heads)};
  Tensors wide, moved;
  for (const at::Tensor& x : inputs) {
    wide.push_back(x.to(at::kDouble));
    moved.push_back(on_gpu(x));
  }
  INFO("type " << c10::toString(type) << " size " << shape.size << " heads " << shape.heads << "/" << shape.kv_heads
               << " causal " << spec.causal << " window " << spec.window << " cap " << spec.softcap << " p "
               << spec.dropout.p << " dead " << shape.dead);
  REQUIRE(ragged_possible(moved[0], moved[1], moved[2], device_layout, device_layout, there) == ragged);
  const std::vector<bool> wanted(3, true);
  const at::Tensor seed = at::randn({layout.total, shape.heads, shape.size});
  const testing::Run exact = testing::run(
      [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], layout, layout, spec); }, wide, wanted, seed);
  const auto compute = [&] {
    return testing::run(
        [&](const Tensors& t) { return attention(t[0], t[1], t[2], device_layout, device_layout, there); }, moved, wanted,
        on_gpu(seed));
  };
  const testing::Run run = compute(), again = compute();
  const double tolerance = type == at::kFloat ? 1e-5 : type == at::kHalf ? 3e-3 : 2e-2;
  CHECK(off_by(run.value, exact.value) < tolerance);
  CHECK(at::equal(run.value, again.value));
  // Over one key the gradients of queries and keys are zero: what rounding leaves is small beside that of the values.
  double largest = 0;
  for (const at::Tensor& gradient : exact.gradients) largest = std::max(largest, gradient.norm().item<double>());
  for (std::size_t i = 0; i < 3; ++i) {
    INFO("gradient of input " << i);
    const at::Tensor off = run.gradients[i].cpu().to(at::kDouble) - exact.gradients[i];
    CHECK(off.norm().item<double>() < tolerance * std::max(exact.gradients[i].norm().item<double>(), 0.1 * largest));
    CHECK(at::equal(run.gradients[i], again.gradients[i]));
  }
}

const std::vector<Heads> kRagged{{{1}, 0, 1, 8},
                                 {{3, 1, 5}, 4, 3, 8},
                                 {{19, 16, 33, 64, 65, 7}, 5, 2, 32},
                                 {{130, 2, 300}, 16, 12, 64},
                                 {{17, 0, 4}, 0, 2, 64},
                                 {{40, 40, 40}, 8, 4, 32, 2}};

AttentionSpec plain_spec(bool causal) {
  return {.causal = causal, .scale = 0.3, .dropout = {}};
}

}  // namespace

TEST_CASE("a GPU drops what the CPU drops, bit for bit", "[cuda][nn]") {
  ATTUNE_NEEDS_GPU();
  for (const double p : {0.1, 0.5, 1.0}) {
    const DropoutSite site = keyed_site(p, 40), there = site_on(site, gpu());
    CHECK(at::equal(dropout_mask(there, 600).cpu(), dropout_mask(site, 600)));
    const at::Tensor x = at::randn({40, 600});
    CHECK(at::equal(nn::dropout(on_gpu(x), there).cpu(), nn::dropout(x, site)));
    const at::Tensor half = x.to(at::kBFloat16);
    CHECK(at::equal(nn::dropout(on_gpu(half), there).cpu(), nn::dropout(half, site)));
    check_on_gpu([&](const Tensors& t, const at::Device& device) { return nn::dropout(t[0], site_on(site, device)); }, {x}, 1e-7);
  }
}

TEST_CASE("attention without padding in float32 on a GPU is the reference's", "[cuda][nn][attention]") {
  ATTUNE_NEEDS_GPU();
  for (std::size_t i = 0; i < kRagged.size(); ++i) {
    DYNAMIC_SECTION("shape " << i) {
      for (const bool causal : {false, true}) check_attention(kRagged[i], plain_spec(causal), at::kFloat, true);
    }
  }
}

TEST_CASE("attention without padding in half precision on a GPU is the reference's", "[cuda][nn][attention]") {
  ATTUNE_NEEDS_GPU();
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    for (std::size_t i = 0; i < kRagged.size(); ++i) {
      DYNAMIC_SECTION(c10::toString(type) << " shape " << i) {
        for (const bool causal : {false, true}) check_attention(kRagged[i], plain_spec(causal), type, true);
      }
    }
    for (const std::int64_t window : {1, 5, 40, 1000}) {
      DYNAMIC_SECTION(c10::toString(type) << " window " << window) {
        for (const bool causal : {false, true}) {
          AttentionSpec spec = plain_spec(causal);
          spec.window = window;
          check_attention({{19, 65, 1, 101, 7}, 8, 4, 32, 2}, spec, type, true);
        }
      }
    }
  }
}

TEST_CASE("padded attention on a GPU is the reference's", "[cuda][nn][attention]") {
  ATTUNE_NEEDS_GPU();
  const auto spec_with = [](bool causal, double p, std::int64_t window, double softcap, std::int64_t tokens) {
    AttentionSpec spec{.causal = causal, .scale = 0.3, .dropout = keyed_site(p, tokens), .window = window, .softcap = softcap};
    if (p == 0) spec.dropout = {};
    return spec;
  };
  const Heads ragged{{19, 65, 1, 101, 7}, 8, 4, 20, 2}, even{{40, 40, 40}, 8, 4, 32, 2}, odd{{130, 70, 0, 4}, 1, 3, 6, 1};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const bool causal : {false, true}) {
      DYNAMIC_SECTION(c10::toString(type) << (causal ? " causal" : "")) {
        for (const std::int64_t window : {0, 5, 1000}) {
          check_attention(ragged, spec_with(causal, 0.2, window, 0, 201), type, false);
          check_attention(ragged, spec_with(causal, 0.2, window, 1.5, 201), type, false);
          check_attention(odd, spec_with(causal, 0, window, 0, 205), type, false);
        }
        check_attention(even, spec_with(causal, 0.2, 0, 0, 128), type, false);
        if (type == at::kFloat) check_attention(ragged, spec_with(causal, 0, 5, 0, 201), type, false);
      }
    }
  }
}

TEST_CASE("queries behind kept keys and queries with offsets on a GPU are the reference's", "[cuda][nn][attention]") {
  ATTUNE_NEEDS_GPU();
  const Layout q_layout = make_layout({1, 4, 20}, 30), kv_layout = make_layout({9, 6, 40}, 60);
  for (const std::int64_t size : {24, 6}) {  // without padding, and with it
    for (const bool causal : {false, true}) {
      const AttentionSpec spec = plain_spec(causal);
      check_on_gpu(
          [&](const Tensors& t, const at::Device& device) {
            return attention(t[0], t[1], t[2], to_device(q_layout, device), to_device(kv_layout, device), spec);
          },
          {at::randn({30, 4, size}), at::randn({60, 2, size}), at::randn({60, 2, size})}, 1e-5);
    }
    AttentionSpec spec = plain_spec(true);
    spec.offsets = {8, 0, 0};
    check_on_gpu(
        [&](const Tensors& t, const at::Device& device) {
          return attention(t[0], t[1], t[2], to_device(q_layout, device), to_device(kv_layout, device), spec);
        },
        {at::randn({30, 4, size}), at::randn({60, 2, size}), at::randn({60, 2, size})}, 1e-5);
  }
}

TEST_CASE("norms, activations, rotation and gates on a GPU are the CPU's", "[cuda][nn]") {
  ATTUNE_NEEDS_GPU();
  const DropoutSite site = keyed_site(0.2, 40);
  const auto at_site = [&](const at::Device& device) { return site_on(site, device); };
  SECTION("bias, dropout, residual and norm") {
    check_on_gpu(
        [&](const Tensors& t, const at::Device& device) {
          return bias_dropout_residual_layer_norm(t[0], t[1], t[2], at_site(device), t[3], t[4], 1e-5);
        },
        {at::randn({40, 24}), at::randn({24}), at::randn({40, 24}), at::rand({24}), at::randn({24})}, 2e-6);
  }
  SECTION("norm and dropout") {
    check_on_gpu(
        [&](const Tensors& t, const at::Device& device) { return layer_norm_dropout(t[0], t[1], t[2], 1e-5, at_site(device)); },
        {at::randn({40, 24}), at::rand({24}), at::randn({24})}, 2e-6);
  }
  SECTION("RMSNorm") {
    for (const double offset : {0.0, 1.0}) {
      check_on_gpu([&](const Tensors& t, const at::Device&) { return rms_norm(t[0], t[1], 1e-6, offset); },
                   {at::randn({40, 3, 24}), at::rand({24})}, 2e-6);
    }
  }
  SECTION("activations") {
    for (const Activation activation : {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::relu,
                                        Activation::silu, Activation::tanh}) {
      check_on_gpu([&](const Tensors& t, const at::Device&) { return bias_activate(t[0], t[1], activation); },
                   {at::randn({40, 24}), at::randn({24})}, 2e-6);
      check_on_gpu([&](const Tensors& t, const at::Device&) { return gated(t[0], t[1], activation); },
                   {at::randn({40, 24}), at::randn({40, 24})}, 2e-6);
    }
  }
  SECTION("rotation") {
    const Layout layout = make_layout({25, 15});
    const at::Tensor positions = at::randint(100'000, {40}, at::kLong);
    check_on_gpu(
        [&](const Tensors& t, const at::Device& device) {
          return rotate(t[0], rotary_table({.size = 16}, positions.to(device), layout, {25, 15}));
        },
        {at::randn({40, 4, 24})}, 1e-5);
  }
}

TEST_CASE("products and look-ups on a GPU add into preset gradients as on the CPU", "[cuda][nn]") {
  ATTUNE_NEEDS_GPU();
  const at::Tensor x = at::randn({40, 24}), seed = at::randn({40, 6});
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    const PrecisionGuard guard(precision);
    const double tolerance = precision == Precision::float32 ? 2e-6 : 2e-2;
    for (const bool conv : {false, true}) {
      const at::Tensor weight = conv ? at::randn({24, 6}) : at::randn({6, 24}), bias = at::randn({6});
      const auto gradients = [&](const at::Device& device) {
        Tensors leaves;
        for (const at::Tensor& t : {x, weight, bias}) leaves.push_back(t.detach().to(device).clone().requires_grad_());
        leaves[1].mutable_grad() = at::zeros_like(leaves[1]) + 1;
        const at::Tensor y = conv ? conv1d(leaves[0], leaves[1], leaves[2]) : nn::linear(leaves[0], leaves[1], leaves[2]);
        y.backward(seed.to(y.options()));
        return Tensors{y.to(at::kFloat), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
      };
      const Tensors cpu = gradients(at::kCPU), there = gradients(gpu());
      for (std::size_t i = 0; i < cpu.size(); ++i) {
        INFO("tensor " << i << " conv1d " << conv);
        CHECK(off_by(there[i], cpu[i]) < tolerance);
      }
    }
  }
  const at::Tensor ids = at::randint(9, {400}, at::kLong), table = at::randn({9, 24}), wide = at::randn({400, 24});
  const auto gradient = [&](const at::Device& device) {
    const at::Tensor leaf = table.detach().to(device).clone().requires_grad_();
    leaf.mutable_grad() = at::zeros_like(leaf);
    nn::embedding(ids.to(device), leaf, 3).backward(wide.to(device));
    return leaf.grad();
  };
  CHECK(off_by(gradient(gpu()), gradient(at::kCPU)) < 2e-6);
  CHECK(at::equal(gradient(gpu()), gradient(gpu())));
}

TEST_CASE("losses on a GPU are the CPU's, with labels and weights left on the CPU", "[cuda][nn]") {
  ATTUNE_NEEDS_GPU();
  at::Tensor labels = at::randint(5, {30}, at::kLong);
  labels[3] = kIgnoreIndex;
  const at::Tensor classes = at::rand({5}) + 0.1, rows = at::rand({30}) + 0.1, targets = at::rand({30, 5});
  SECTION("cross-entropy") {
    for (const double smoothing : {0.0, 0.1}) {
      check_on_gpu([&](const Tensors& t, const at::Device&) { return cross_entropy(t[0], labels, classes, rows, smoothing).sum; },
                   {at::randn({30, 5})}, 2e-6);
    }
    const at::Tensor logits = at::randn({30, 5});
    CHECK(cross_entropy(on_gpu(logits), labels, classes, rows, 0.0).weight ==
          Approx(cross_entropy(logits, labels, classes, rows, 0.0).weight).epsilon(1e-6));
  }
  SECTION("binary and squared") {
    check_on_gpu([&](const Tensors& t, const at::Device&) { return binary_cross_entropy(t[0], targets, rows).sum; },
                 {at::randn({30, 5})}, 2e-6);
    check_on_gpu([&](const Tensors& t, const at::Device&) { return squared_error(t[0], targets, rows).sum; },
                 {at::randn({30, 5})}, 2e-6);
  }
  SECTION("over a vocabulary") {
    // More logits than one portion of a GPU holds, and few; with and without rows that do not count.
    for (const std::int64_t size : {50, 300'000}) {
      for (const bool all : {false, true}) {
        const std::int64_t count = size == 50 ? 30 : 300;
        at::Tensor ids = at::randint(size, {count}, at::kLong);
        if (!all) ids[2] = kIgnoreIndex;
        const at::Tensor weights = at::rand({count}) + 0.1;
        check_on_gpu(
            [&](const Tensors& t, const at::Device&) {
              return vocabulary_cross_entropy({.x = t[0], .weight = t[1], .bias = t[2], .softcap = 4.0}, ids, weights, 0.1).sum;
            },
            {at::randn({count, 8}), at::randn({size, 8}), at::randn({size})}, 2e-5);
      }
    }
    const Vocabulary cpu{.x = at::randn({30, 8}), .weight = at::randn({50, 8}), .bias = {}};
    const Vocabulary there{.x = on_gpu(cpu.x), .weight = on_gpu(cpu.weight.values), .bias = {}};
    const at::Tensor ids = at::randint(50, {30}, at::kLong);
    CHECK(off_by(vocabulary_losses(there, ids, 0.1).smoothed, vocabulary_losses(cpu, ids, 0.1).smoothed) < 2e-6);
  }
}

TEST_CASE("a GPU is fast in bfloat16", "[cuda][nn]") {
  ATTUNE_NEEDS_GPU();
  CHECK(bfloat16_pays(gpu()));
}
