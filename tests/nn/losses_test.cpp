// Losses against torch's own, and the rule of sums (Σ w·loss, Σ w).
#include "attune/nn/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "catch.h"

using namespace attune::nn;

namespace {

double mean(const LossSum& loss) {
  return loss.sum.item<double>() / loss.weight;
}

at::Tensor some_labels(std::int64_t rows, std::int64_t classes) {
  at::Tensor labels = at::randint(classes, {rows}, at::kLong);
  labels[2] = kIgnoreIndex;
  labels[rows - 1] = kIgnoreIndex;
  return labels;
}

}  // namespace

TEST_CASE("cross entropy is torch's with class weights, smoothing and ignored labels", "[nn]") {
  const at::Tensor logits = 3 * at::randn({40, 7});
  const at::Tensor labels = some_labels(40, 7);
  for (const double smoothing : {0.0, 0.1, 0.4}) {
    for (const bool weighted : {false, true}) {
      const at::Tensor weights = weighted ? at::rand({7}) + 0.1 : at::Tensor();
      at::Tensor ours_at = logits.detach().clone().requires_grad_();
      at::Tensor theirs_at = logits.detach().clone().requires_grad_();
      const LossSum ours = cross_entropy(ours_at, labels, weights, {}, smoothing);
      const std::optional<at::Tensor> given = weighted ? std::optional(weights) : std::nullopt;
      const at::Tensor theirs =
          at::cross_entropy_loss(theirs_at, labels, given, at::Reduction::Mean, kIgnoreIndex, smoothing);
      CHECK(mean(ours) == Approx(theirs.item<double>()).margin(1e-6));
      (ours.sum / double{ours.weight}).backward();
      theirs.backward();
      CHECK(at::allclose(ours_at.grad(), theirs_at.grad(), 1e-5, 1e-7));
    }
  }
}

TEST_CASE("splitting a batch into parts changes no sum of losses or weights", "[nn]") {
  const at::Tensor logits = at::randn({30, 5});
  const at::Tensor labels = some_labels(30, 5);
  const at::Tensor classes = at::rand({5}) + 0.1;
  const at::Tensor rows = at::rand({30});
  const LossSum whole = cross_entropy(logits, labels, classes, rows, 0.1);
  double sum = 0, weight = 0;
  for (const auto& [first, count] : {std::pair{0, 7}, {7, 1}, {8, 22}}) {
    const LossSum part = cross_entropy(logits.narrow(0, first, count), labels.narrow(0, first, count), classes,
                                       rows.narrow(0, first, count), 0.1);
    sum += part.sum.item<double>();
    weight += part.weight;
  }
  CHECK(sum == Approx(whole.sum.item<double>()).epsilon(1e-5));
  CHECK(weight == Approx(whole.weight));
}

TEST_CASE("a row of weight two counts as two rows", "[nn]") {
  const at::Tensor logits = at::randn({3, 4});
  const at::Tensor labels = at::randint(4, {3}, at::kLong);
  const at::Tensor weights = at::tensor({1.0f, 2.0f, 0.0f});
  const at::Tensor repeat = at::tensor({0, 1, 1}, at::kLong);
  const at::Tensor targets = at::rand({3, 4});
  const auto same = [](const LossSum& weighted, const LossSum& repeated) {
    CHECK(weighted.sum.item<double>() == Approx(repeated.sum.item<double>()).epsilon(1e-5));
    CHECK(weighted.weight == Approx(repeated.weight));
  };
  same(cross_entropy(logits, labels, {}, weights, 0.1),
       cross_entropy(logits.index_select(0, repeat), labels.index_select(0, repeat), {}, {}, 0.1));
  same(binary_cross_entropy(logits, targets, weights),
       binary_cross_entropy(logits.index_select(0, repeat), targets.index_select(0, repeat), {}));
  same(squared_error(logits, targets, weights),
       squared_error(logits.index_select(0, repeat), targets.index_select(0, repeat), {}));
}

TEST_CASE("binary cross entropy and squared error are torch's means", "[nn]") {
  const at::Tensor x = at::randn({6, 3});
  const at::Tensor y = at::rand({6, 3});
  CHECK(mean(binary_cross_entropy(x, y, {})) ==
        Approx(at::binary_cross_entropy_with_logits(x, y).item<double>()).margin(1e-6));
  CHECK(mean(squared_error(x, y, {})) == Approx(at::mse_loss(x, y).item<double>()).margin(1e-6));
  CHECK(squared_error(x.select(1, 0), y.select(1, 0), {}).weight == 6);
}

TEST_CASE("a batch in which every label is ignored has no weight and no gradient", "[nn]") {
  at::Tensor logits = at::randn({2, 3}).requires_grad_();
  const LossSum loss = cross_entropy(logits, at::tensor({-100, -100}, at::kLong), {}, {}, 0.1);
  CHECK(loss.weight == 0);
  CHECK(loss.sum.item<double>() == 0);
  loss.sum.backward();
  CHECK(logits.grad().abs().sum().item<double>() == 0);
}
