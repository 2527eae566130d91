// The attention kernels against attention_reference, and the reference against finite differences.
#include "attune/nn/attention.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "nn/compare.h"

using namespace attune::nn;
using attune::nn::testing::check_same;
using Tensors = std::vector<at::Tensor>;

namespace {

struct Shape {
  std::vector<std::int32_t> lengths;
  std::int64_t dead = 0, heads = 2, size = 16;
  std::int64_t kv_heads = heads;
};

AttentionSpec spec_of(double p, std::int64_t tokens, bool causal = false) {
  AttentionSpec spec;
  spec.causal = causal;
  spec.scale = 0.3;
  spec.dropout = DropoutKeys{.step_key = 5, .token_keys = at::randint(1LL << 40, {tokens}, at::kLong)}.site(2, p);
  return spec;
}

void check_shape(const Shape& shape, const AttentionSpec& spec) {
  Layout layout = make_layout(shape.lengths);
  layout.total += shape.dead;
  const auto random = [&](std::int64_t heads) { return at::randn({layout.total, heads, shape.size}); };
  check_same([&](const Tensors& t) { return attention(t[0], t[1], t[2], layout, layout, spec); },
             [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], layout, layout, spec); },
             {random(shape.heads), random(shape.kv_heads), random(shape.kv_heads)}, 1e-5);
}

}  // namespace

TEST_CASE("fused attention equals the reference on ragged streams", "[nn]") {
  const std::vector<Shape> shapes{{{1}, 0, 1, 1},
                                  {{3, 1, 5}, 4, 3, 8},
                                  {{19, 16, 33, 64, 65, 7}, 5, 2, 32},
                                  {{130, 2, 300}, 16, 2, 20},
                                  {{17, 0, 4}, 0, 2, 64}};
  for (const Shape& shape : shapes) {
    std::int64_t tokens = shape.dead;
    for (const std::int32_t length : shape.lengths) tokens += length;
    for (const double p : {0.0, 0.2}) {
      for (const bool causal : {false, true}) check_shape(shape, spec_of(p, tokens, causal));
    }
  }
}

TEST_CASE("fused attention equals the reference with windows, capped scores and shared key heads", "[nn]") {
  for (const bool causal : {true, false}) {
    for (const std::int64_t window : {0, 1, 5, 40, 1000}) {
      for (const double softcap : {0.0, 1.5}) {
        AttentionSpec spec = spec_of(window == 5 ? 0.2 : 0.0, 201, causal);
        spec.window = window;
        spec.softcap = softcap;
        check_shape({{19, 65, 1, 101, 7}, 8, 4, 20, 2}, spec);
        check_shape({{130, 70}, 1, 3, 8, 1}, spec);
      }
    }
  }
}

TEST_CASE("queries stand where the offsets say", "[nn]") {
  const Layout q_layout = make_layout({1, 4, 70}, 80);
  const Layout kv_layout = make_layout({9, 6, 40}, 60);
  AttentionSpec spec = spec_of(0.1, 80, /*causal=*/true);
  spec.offsets = {8, 0, 0};  // the last of nine; the first four of six; 30 queries behind the last key
  const at::Tensor q = at::randn({80, 4, 24});
  const at::Tensor kv = at::randn({60, 2, 2, 24});
  for (const std::int64_t window : {0, 45}) {
    spec.window = window;
    check_same([&](const Tensors& t) { return attention(t[0], t[1], t[2], q_layout, kv_layout, spec); },
               [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], q_layout, kv_layout, spec); },
               {q, kv.select(1, 0), kv.select(1, 1)}, 1e-5);
  }
  // A query that no key may serve is our mistake.
  spec.window = 30;
  CHECK_THROWS(attention(q, kv.select(1, 0), kv.select(1, 1), q_layout, kv_layout, spec));
  spec.offsets = {8, -1, 0};
  spec.window = 0;
  CHECK_THROWS(attention(q, kv.select(1, 0), kv.select(1, 1), q_layout, kv_layout, spec));
}

TEST_CASE("the last queries behind a cache of keys get what they get in one pass", "[nn]") {
  AttentionSpec spec;
  spec.causal = true;
  spec.scale = 0.2;
  spec.window = 9;
  spec.softcap = 2.0;
  const at::Tensor q = at::randn({30, 4, 16}), k = at::randn({30, 2, 16}), v = at::randn({30, 2, 16});
  const at::Tensor whole = attention(q, k, v, make_layout({30}), make_layout({30}), spec);
  const at::Tensor last = attention(q.narrow(0, 27, 3), k, v, make_layout({3}), make_layout({30}), spec);
  CHECK(testing::distance(last, whole.narrow(0, 27, 3)) < 1e-6);
}

TEST_CASE("fused attention reads slices of a fused projection, queries and keys of different lengths", "[nn]") {
  const Layout q_layout = make_layout({1, 4, 70}, 80);
  const Layout kv_layout = make_layout({9, 6, 40}, 60);
  const AttentionSpec spec = spec_of(0.1, 80);
  const at::Tensor q = at::randn({80, 3, 2, 24}).select(1, 0);
  const at::Tensor kv = at::randn({60, 3, 2, 24});
  check_same([&](const Tensors& t) { return attention(t[0], t[1], t[2], q_layout, kv_layout, spec); },
             [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], q_layout, kv_layout, spec); },
             {q, kv.select(1, 1), kv.select(1, 2)}, 1e-5);
  const at::Tensor strided = at::randn({2, 24, 80}).permute({2, 0, 1});  // the last dimension is not dense
  check_same([&](const Tensors& t) { return attention(t[0], t[1], t[2], q_layout, kv_layout, spec); },
             [&](const Tensors& t) { return attention_reference(t[0], t[1], t[2], q_layout, kv_layout, spec); },
             {strided, kv.select(1, 1), kv.select(1, 2)}, 1e-5);
}

TEST_CASE("the reference is torch's attention on one sequence", "[nn]") {
  const Layout layout = make_layout({11});
  AttentionSpec spec;
  spec.scale = 1 / std::sqrt(8.0);
  const auto random = [] { return at::randn({11, 3, 8}); };
  const at::Tensor q = random(), k = random(), v = random();
  const auto batch = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  for (const bool causal : {false, true}) {
    spec.causal = causal;
    const at::Tensor theirs = at::scaled_dot_product_attention(batch(q), batch(k), batch(v), {}, 0.0, causal);
    const at::Tensor ours = attention_reference(q, k, v, layout, layout, spec);
    CHECK(testing::distance(ours, theirs.squeeze(0).transpose(0, 1)) < 1e-6);
  }
}

TEST_CASE("the reference is torch's attention with a window, and shares key heads as torch does", "[nn]") {
  AttentionSpec spec;
  spec.causal = true;
  spec.scale = 0.25;
  spec.window = 4;
  const at::Tensor q = at::randn({13, 6, 16}), k = at::randn({13, 2, 16}), v = at::randn({13, 2, 16});
  const at::Tensor away = at::arange(13).unsqueeze(1) - at::arange(13);  // q - k
  const at::Tensor seen = away.ge(0).logical_and(away < 4);
  const auto batch = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  const at::Tensor theirs =
      at::scaled_dot_product_attention(batch(q), batch(k), batch(v), seen, 0.0, false, 0.25, /*enable_gqa=*/true);
  const at::Tensor ours = attention_reference(q, k, v, make_layout({13}), make_layout({13}), spec);
  CHECK(testing::distance(ours, theirs.squeeze(0).transpose(0, 1)) < 1e-6);
}

TEST_CASE("gradients of attention with dropout agree with finite differences", "[nn]") {
  const Layout layout = make_layout({3, 5}, 9);
  const AttentionSpec spec = spec_of(0.3, 9);
  const auto options = at::TensorOptions().dtype(at::kDouble);
  Tensors inputs;
  for (int i = 0; i < 3; ++i) inputs.push_back(at::randn({9, 2, 4}, options).requires_grad_());
  const at::Tensor seed = at::randn({9, 2, 4}, options);
  const auto loss = [&](const Tensors& t) {
    return (attention_reference(t[0], t[1], t[2], layout, layout, spec) * seed).sum();
  };
  loss(inputs).backward();
  Tensors floats;
  for (const at::Tensor& x : inputs) floats.push_back(x.detach().to(at::kFloat).requires_grad_());
  (attention(floats[0], floats[1], floats[2], layout, layout, spec) * seed.to(at::kFloat)).sum().backward();
  for (std::size_t i = 0; i < 3; ++i) {
    const at::Tensor direction = at::randn({9, 2, 4}, options);
    const auto moved = [&](double step) {
      Tensors shifted;
      for (const at::Tensor& x : inputs) shifted.push_back(x.detach());
      shifted[i] = shifted[i] + step * direction;
      return loss(shifted).item<double>();
    };
    const double slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    CHECK((inputs[i].grad() * direction).sum().item<double>() == Approx(slope).epsilon(1e-7));
    CHECK((floats[i].grad().to(at::kDouble) * direction).sum().item<double>() == Approx(slope).epsilon(1e-4));
  }
}

TEST_CASE("attention gives zeros in dead rows, forward and backward, whatever they hold", "[nn]") {
  const Layout layout = make_layout({5, 7}, 20);
  Tensors inputs;
  for (int i = 0; i < 3; ++i) {
    at::Tensor x = at::randn({20, 2, 8});
    x.narrow(0, 12, 8).fill_(std::numeric_limits<float>::quiet_NaN());
    inputs.push_back(x.requires_grad_());
  }
  const at::Tensor y = attention(inputs[0], inputs[1], inputs[2], layout, layout, spec_of(0.1, 20));
  CHECK(y.narrow(0, 12, 8).abs().sum().item<float>() == 0);
  y.sum().backward();
  for (const at::Tensor& x : inputs) {
    CHECK(x.grad().narrow(0, 12, 8).abs().sum().item<float>() == 0);
    CHECK(x.grad().isfinite().all().item<bool>());
  }
}

TEST_CASE("attention does not depend on the order or company of sequences, nor on threads", "[nn]") {
  const std::vector<std::int32_t> lengths{12, 40, 3, 90};
  const Layout layout = make_layout(lengths);
  const AttentionSpec spec = spec_of(0.2, layout.total);
  const at::Tensor x = at::randn({layout.total, 3, 2, 32});
  const auto attend = [](const at::Tensor& given, const Layout& where, const AttentionSpec& how) {
    at::Tensor leaf = given.detach().requires_grad_();
    const at::Tensor y = attention(leaf.select(1, 0), leaf.select(1, 1), leaf.select(1, 2), where, where, how);
    y.square().sum().backward();
    return std::pair{y.detach(), leaf.grad()};
  };
  const auto [whole, whole_grad] = attend(x, layout, spec);
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    const std::int64_t first = layout.cu_seqlens[i];
    AttentionSpec alone = spec;
    alone.dropout.token_keys = spec.dropout.token_keys.narrow(0, first, lengths[i]);
    const auto [y, grad] = attend(x.narrow(0, first, lengths[i]), make_layout({lengths[i]}), alone);
    CHECK(at::equal(y, whole.narrow(0, first, lengths[i])));
    CHECK(at::equal(grad, whole_grad.narrow(0, first, lengths[i])));
  }
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const auto [y, grad] = attend(x, layout, spec);
    CHECK(at::equal(y, whole));
    CHECK(at::equal(grad, whole_grad));
  }
  at::set_num_threads(before);
}
