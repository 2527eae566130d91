// A linear layer with a low-rank change as one function against its parts, and what linear layers keep for backward.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/util/intrusive_ptr.h>

#include "attune/nn/dropout.h"
#include "attune/nn/linear.h"
#include "attune/nn/plain.h"
#include "nn/compare.h"

using namespace attune::nn;
namespace nn = attune::nn;
using attune::nn::testing::check_same;
using Tensors = std::vector<at::Tensor>;

namespace {

constexpr double kScale = 1.5;

/// Whether x = f(leaf), which the layer read, is still held by anything but the test once the layer is done.
template <class Layer>
bool keeps_its_input(const Layer& layer) {
  const at::Tensor leaf = at::randn({7, 6}).requires_grad_(true);
  at::Tensor x = leaf * 2.0;
  const c10::weak_intrusive_ptr<c10::StorageImpl> watch(x.storage().getWeakStorageImpl());
  const at::Tensor y = layer(x);
  x.reset();
  const bool kept = !watch.expired();
  y.sum().backward();
  CHECK(leaf.grad().defined());
  return kept;
}

}  // namespace

TEST_CASE("a linear layer with a low-rank change equals its parts", "[nn]") {
  for (const bool transposed : {false, true}) {
    for (const bool biased : {true, false}) {
      for (const double p : {0.0, 0.3}) {
        const DropoutSite site =
            DropoutKeys{.step_key = 11, .token_keys = at::randint(1LL << 40, {33}, at::kLong)}.site(5, p);
        const Tensors inputs{at::randn({33, 12}), transposed ? at::randn({12, 20}) : at::randn({20, 12}),
                             biased ? at::randn({20}) : at::Tensor(), at::randn({4, 12}), at::randn({20, 4})};
        check_same(
            [&](const Tensors& in) {
              const LowRankTerm term{.a = in[3], .b = in[4], .scale = kScale, .dropout = site};
              return transposed ? nn::conv1d(in[0], in[1], in[2], term) : nn::linear(in[0], in[1], in[2], term);
            },
            [&](const Tensors& in) {
              const at::Tensor base = at::linear(in[0], transposed ? in[1].t() : in[1],
                                                 in[2].defined() ? std::optional(in[2]) : std::nullopt);
              const at::Tensor dropped = p > 0 ? plain::dropout(in[0], site) : in[0];
              return base + at::linear(at::linear(dropped, in[3]), in[4]) * kScale;
            },
            inputs, 2e-6);
      }
    }
  }
}

TEST_CASE("gradients of a low-rank change are added to preset ones", "[nn]") {
  const at::Tensor x = at::randn({9, 6}), weight = at::randn({5, 6});
  const at::Tensor a = at::randn({2, 6}).requires_grad_(true), b = at::randn({5, 2}).requires_grad_(true);
  Tensors alone;
  for (const bool preset : {false, true}) {
    for (const at::Tensor& leaf : {a, b}) {
      leaf.mutable_grad() = preset ? at::ones_like(leaf) : at::Tensor();
    }
    const at::Tensor grad_a = a.grad(), grad_b = b.grad();
    nn::linear(x, weight, {}, {.a = a, .b = b, .scale = kScale, .dropout = {}}).sum().backward();
    if (!preset) {
      alone = {a.grad().clone(), b.grad().clone()};
      continue;
    }
    CHECK(a.grad().is_same(grad_a));
    CHECK(b.grad().is_same(grad_b));
    CHECK(at::allclose(a.grad(), alone[0] + 1.0, 1e-5, 1e-5));  // sums may come near 0
    CHECK(at::allclose(b.grad(), alone[1] + 1.0, 1e-5, 1e-5));
  }
}

TEST_CASE("linear layers keep their input for backward only where a weight needs it", "[nn]") {
  const at::Tensor frozen = at::randn({5, 6}), trained = at::randn({5, 6}).requires_grad_(true), bias = at::randn({5});
  CHECK_FALSE(keeps_its_input([&](const at::Tensor& x) { return nn::linear(x, frozen, bias); }));
  CHECK_FALSE(keeps_its_input([&](const at::Tensor& x) { return nn::conv1d(x, frozen.t().contiguous()); }));
  CHECK(keeps_its_input([&](const at::Tensor& x) { return nn::linear(x, trained, bias); }));
  const LowRankTerm term{
      .a = at::randn({2, 6}).requires_grad_(true), .b = at::randn({5, 2}), .scale = 1.0, .dropout = {}};
  CHECK(keeps_its_input([&](const at::Tensor& x) { return nn::linear(x, frozen, bias, term); }));
}
