// The loss over a long vocabulary in chunks, against the plain computation that holds all logits.
#include "attune/nn/vocabulary.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "../../src/nn/kernels/kernels.h"
#include "catch.h"
#include "without_kernels.h"

using namespace attune::nn;

namespace {

struct Case {
  std::int64_t rows, vocabulary;
  bool bias = false, weighted = false, preset = false, frozen = false;
  double softcap = 0.0, smoothing = 0.0;
};

at::Tensor leaf(const at::Tensor& x, bool trained = true) {
  return x.defined() ? x.detach().clone().requires_grad_(trained) : x;
}

/// Largest difference in units of the largest wanted value.
double distance(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).abs().max() / want.abs().max().clamp_min(1e-12)).item<double>();
}

void check(const Case& c) {
  INFO(c.rows << " x " << c.vocabulary << " bias " << c.bias << " weighted " << c.weighted << " preset " << c.preset
              << " frozen " << c.frozen << " softcap " << c.softcap << " smoothing " << c.smoothing);
  const at::Tensor x = at::randn({c.rows, 6}), weight = at::randn({c.vocabulary, 6});
  const at::Tensor bias = c.bias ? at::randn({c.vocabulary}) : at::Tensor();
  const at::Tensor row_weights = c.weighted ? at::rand({c.rows}) + 0.1 : at::Tensor();
  at::Tensor labels = at::randint(c.vocabulary, {c.rows}, at::kLong);
  labels[1] = kIgnoreIndex;
  const auto vocabulary = [&](bool trained) {
    return Vocabulary{.x = leaf(x), .weight = leaf(weight, trained), .bias = leaf(bias, trained), .softcap = c.softcap};
  };
  Vocabulary ours = vocabulary(!c.frozen), theirs = vocabulary(!c.frozen);
  if (c.preset) ours.weight.values.mutable_grad() = at::zeros_like(weight);
  const LossSum got = vocabulary_cross_entropy(ours, labels, row_weights, c.smoothing);
  const LossSum want = cross_entropy(vocabulary_logits(theirs), labels, {}, row_weights, c.smoothing);
  CHECK(got.weight == Approx(want.weight).epsilon(1e-12));
  CHECK(got.sum.item<double>() == Approx(want.sum.item<double>()).epsilon(1e-6));
  (got.sum * 0.25).backward();
  (want.sum * 0.25).backward();
  // Sums over a long vocabulary have another order in chunks: float32 keeps fewer digits of what cancels.
  const double tolerance = c.vocabulary > 1000 ? 2e-4 : 2e-6;
  CHECK(distance(ours.x.grad(), theirs.x.grad()) < tolerance);
  if (c.frozen) return;
  CHECK(distance(ours.weight.values.grad(), theirs.weight.values.grad()) < tolerance);
  if (c.bias) CHECK(distance(ours.bias.grad(), theirs.bias.grad()) < tolerance);
}

}  // namespace

/// body() once for each way the loss can be computed here.
template <class Body>
void with_all_kernels(const Body& body) {
  for (const kernels::Table* table : kernels::tables()) {
    INFO("kernels for " << table->name);
    kernels::use(*table);
    body();
  }
  kernels::use(*kernels::tables().front());
  INFO("plain operators");
  const attune::testing::WithoutKernels plain;
  body();
}

TEST_CASE("the loss in chunks is the plain one, gradients included", "[nn][vocabulary]") {
  with_all_kernels([] {
    for (const double softcap : {0.0, 3.0}) {
      for (const double smoothing : {0.0, 0.2}) {
        check(
            {.rows = 9, .vocabulary = 17, .bias = true, .weighted = true, .softcap = softcap, .smoothing = smoothing});
        check({.rows = 9, .vocabulary = 17, .preset = true, .softcap = softcap, .smoothing = smoothing});
        check({.rows = 9,
               .vocabulary = 17,
               .weighted = true,
               .frozen = true,
               .softcap = softcap,
               .smoothing = smoothing});
      }
    }
  });
}

TEST_CASE("the loss of more logits than a chunk holds", "[nn][vocabulary]") {
  with_all_kernels([] {
    check({.rows = 300, .vocabulary = 90'001, .preset = true});
    check({.rows = 300, .vocabulary = 90'001, .bias = true, .weighted = true, .softcap = 3.0, .smoothing = 0.1});
    check({.rows = 300, .vocabulary = 90'001, .frozen = true});
  });
}

TEST_CASE("gradients of two losses add up in a preset gradient", "[nn][vocabulary]") {
  const at::Tensor x = at::randn({5, 4}), weight = leaf(at::randn({7, 4})), labels = at::randint(7, {5}, at::kLong);
  const auto once = [&](const at::Tensor& of) {
    (vocabulary_cross_entropy({.x = leaf(x), .weight = of, .bias = {}}, labels, {}, 0.0).sum * 0.5).backward();
  };
  const at::Tensor alone = leaf(weight);
  once(alone);
  weight.mutable_grad() = at::zeros_like(weight);
  once(weight);
  once(weight);
  CHECK(distance(weight.grad(), 2 * alone.grad()) < 1e-6);
}

TEST_CASE("logits far apart give finite losses and gradients, NaN stays NaN", "[nn][vocabulary]") {
  with_all_kernels([] {
    at::Tensor x = at::ones({2, 1});
    const at::Tensor weight = at::tensor(std::vector<float>{200.0F, -200.0F, 0.0F}).view({3, 1});
    const Vocabulary far{.x = leaf(x), .weight = leaf(weight), .bias = {}};
    const LossSum loss = vocabulary_cross_entropy(far, at::tensor(std::vector<std::int64_t>{0, 1}), {}, 0.0);
    CHECK(loss.sum.item<double>() == Approx(400.0));
    loss.sum.backward();
    CHECK(far.x.grad()[1].item<double>() == Approx(400.0));
    x[0][0] = std::numeric_limits<float>::quiet_NaN();
    const Vocabulary broken{.x = leaf(x), .weight = leaf(weight), .bias = {}};
    CHECK(vocabulary_cross_entropy(broken, at::tensor(std::vector<std::int64_t>{0, 1}), {}, 0.0)
              .sum.isnan()
              .item<bool>());
  });
}

TEST_CASE("rows without a label may hold anything", "[nn][vocabulary]") {
  at::Tensor x = at::randn({3, 4});
  x[1].fill_(std::numeric_limits<float>::quiet_NaN());
  at::Tensor labels = at::randint(5, {3}, at::kLong);
  labels[1] = kIgnoreIndex;
  const Vocabulary vocabulary{.x = leaf(x), .weight = leaf(at::randn({5, 4})), .bias = {}};
  const LossSum loss = vocabulary_cross_entropy(vocabulary, labels, {}, 0.0);
  CHECK(loss.weight == 2);
  loss.sum.backward();
  CHECK(vocabulary.weight.values.grad().isfinite().all().item<bool>());
  CHECK(vocabulary.x.grad()[1].abs().sum().item<double>() == 0);
}

TEST_CASE("losses of single rows add up to the loss", "[nn][vocabulary]") {
  at::Tensor labels = at::randint(50'000, {250}, at::kLong);
  labels[7] = kIgnoreIndex;
  const Vocabulary vocabulary{
      .x = at::randn({250, 6}), .weight = at::randn({50'000, 6}), .bias = at::randn({50'000}), .softcap = 4.0};
  for (const double smoothing : {0.0, 0.3}) {
    const RowLosses rows = vocabulary_losses(vocabulary, labels, smoothing);
    CHECK(rows.nll[7].item<double>() == 0);
    CHECK(rows.smoothed[7].item<double>() == 0);
    const LossSum smoothed = vocabulary_cross_entropy(vocabulary, labels, {}, smoothing);
    const LossSum plain = vocabulary_cross_entropy(vocabulary, labels, {}, 0.0);
    CHECK(rows.smoothed.sum().item<double>() == Approx(smoothed.sum.item<double>()).epsilon(1e-6));
    CHECK(rows.nll.sum().item<double>() == Approx(plain.sum.item<double>()).epsilon(1e-6));
    const RowLosses whole = row_losses(vocabulary_logits(vocabulary), labels, smoothing);
    CHECK(distance(whole.nll, rows.nll) < 1e-6);
    CHECK(distance(whole.smoothed, rows.smoothed) < 1e-6);
  }
}

TEST_CASE("bfloat16 rounds the operands of the product and nothing else", "[nn][vocabulary]") {
  const at::Tensor x = at::randn({40, 8}), weight = at::randn({30, 8}), labels = at::randint(30, {40}, at::kLong);
  const auto run = [&](Precision precision) {
    const Vocabulary vocabulary{.x = leaf(x), .weight = leaf(weight), .bias = {}, .precision = precision};
    const LossSum loss = vocabulary_cross_entropy(vocabulary, labels, {}, 0.0);
    loss.sum.backward();
    return std::pair(loss.sum.item<double>(), vocabulary.weight.values.grad());
  };
  const auto [exact, exact_gradient] = run(Precision::float32);
  const auto [rounded, rounded_gradient] = run(Precision::bfloat16);
  CHECK(rounded != exact);
  CHECK(rounded == Approx(exact).epsilon(1e-2));
  CHECK(distance(rounded_gradient, exact_gradient) < 2e-2);
  CHECK(rounded_gradient.scalar_type() == at::kFloat);
}
