// The statistics of the keyed dropout mask, and that nothing but its key decides it.
#include "attune/nn/dropout.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "attune/base/random.h"
#include "catch.h"

using namespace attune::nn;

namespace {

constexpr std::int64_t kRows = 2000;
constexpr std::int64_t kFeatures = 384;

/// Sites of one step over tokens whose keys are 0, 1, 2, … : the worst keys a caller can give.
DropoutSite site_of(int number, double p, std::int64_t rows = kRows) {
  return DropoutKeys{.step_key = 7, .token_keys = at::arange(rows, at::kLong)}.site(number, p);
}

/// The mask as ±, centred: mean 0, variance 1 when the share kept is 1 - p and elements are independent.
at::Tensor centred(const at::Tensor& mask, double p) {
  return (mask.to(at::kDouble) - (1 - p)) / std::sqrt(p * (1 - p));
}

/// Σ a·b over n independent pairs lies within 5 standard deviations √n.
bool uncorrelated(const at::Tensor& a, const at::Tensor& b) {
  return std::abs((a * b).sum().item<double>()) < 5 * std::sqrt(static_cast<double>(a.numel()));
}

}  // namespace

TEST_CASE("the share of dropped elements is p, over all, by row and by feature", "[nn]") {
  for (const double p : {0.1, 0.5, 0.9}) {
    const at::Tensor x = centred(dropout_mask(site_of(3, p), kFeatures), p);
    CHECK(std::abs(x.sum().item<double>()) < 5 * std::sqrt(static_cast<double>(x.numel())));
    // χ² over rows and over features: sums of squares of standard normals; 5 standard deviations √(2n).
    for (const int dim : {0, 1}) {
      const double chi2 = (x.sum(dim).square() / static_cast<double>(x.size(dim))).sum().item<double>();
      const auto n = static_cast<double>(x.size(1 - dim));
      CHECK(std::abs(chi2 - n) < 5 * std::sqrt(2 * n));
    }
  }
}

TEST_CASE("neighbouring features, tokens, sites and steps have independent masks", "[nn]") {
  for (const double p : {0.1, 0.5}) {
    const at::Tensor x = centred(dropout_mask(site_of(3, p), kFeatures), p);
    for (const std::int64_t lag : {1, 2, 3, 4, 8, 16, 32, 64, 128}) {
      CHECK(uncorrelated(x.narrow(1, 0, kFeatures - lag), x.narrow(1, lag, kFeatures - lag)));
      CHECK(uncorrelated(x.narrow(0, 0, kRows - lag), x.narrow(0, lag, kRows - lag)));
      CHECK(uncorrelated(x.slice(0, 0, kRows - lag).slice(1, 0, kFeatures - lag), x.slice(0, lag).slice(1, lag)));
    }
    for (const int other : {0, 1, 2, 4, 5, 100}) {
      CHECK(uncorrelated(x, centred(dropout_mask(site_of(other, p), kFeatures), p)));
    }
    DropoutSite next_step = DropoutKeys{.step_key = 8, .token_keys = at::arange(kRows, at::kLong)}.site(3, p);
    CHECK(uncorrelated(x, centred(dropout_mask(next_step, kFeatures), p)));
  }
}

TEST_CASE("heads of one query token have independent masks", "[nn]") {
  // Attention uses the feature index head · 2^20 + key position.
  const double p = 0.1;
  const at::Tensor mask = dropout_mask(site_of(3, p, 4), (3 << 20) + 512);
  const auto of_head = [&](std::int64_t head) { return centred(mask.narrow(1, head << 20, 512), p); };
  for (const std::int64_t head : {1, 2, 3}) CHECK(uncorrelated(of_head(0), of_head(head)));
}

TEST_CASE("pairs of neighbouring elements are jointly independent", "[nn]") {
  const double p = 0.5;
  const at::Tensor mask = dropout_mask(site_of(0, p), kFeatures).to(at::kLong);
  // All 256 patterns of 8 neighbours are equally frequent: χ² with 255 degrees of freedom.
  at::Tensor pattern = mask.view({-1, 8}).mul(at::arange(8).exp2().to(at::kLong)).sum(1);
  const at::Tensor counts = pattern.bincount({}, 256).to(at::kDouble);
  const double expected = static_cast<double>(pattern.numel()) / 256;
  const double chi2 = ((counts - expected).square() / expected).sum().item<double>();
  CHECK(std::abs(chi2 - 255) < 5 * std::sqrt(2.0 * 255));
}

TEST_CASE("a token's mask depends on its key and the site only, not on where it lies", "[nn]") {
  const DropoutSite site = site_of(3, 0.3, 50);
  const at::Tensor order = at::arange(49, -1, -1, at::kLong);
  DropoutSite reversed = site;
  reversed.token_keys = site.token_keys.index_select(0, order);
  CHECK(at::equal(dropout_mask(reversed, 40), dropout_mask(site, 40).index_select(0, order)));
  CHECK_FALSE(at::equal(dropout_mask(reversed, 40), dropout_mask(site, 40)));
}

TEST_CASE("dropout scales what it keeps, and its gradient has the same mask", "[nn]") {
  const DropoutSite site = site_of(1, 0.25, 33);
  const at::Tensor factor = dropout_mask(site, 21).to(at::kFloat) / 0.75;
  at::Tensor x = at::randn({33, 21}).requires_grad_();
  const at::Tensor y = dropout(x, site);
  CHECK((y - x * factor).abs().max().item<float>() < 1e-6);
  const at::Tensor seed = at::randn({33, 21});
  y.backward(seed);
  CHECK((x.grad() - seed * factor).abs().max().item<float>() < 1e-6);
}

TEST_CASE("without token keys or with p = 0 there is no dropout, with p = 1 nothing is left", "[nn]") {
  CHECK_FALSE(DropoutKeys{}.site(1, 0.5));
  CHECK_FALSE(site_of(1, 0.0));
  const at::Tensor x = at::randn({kRows, 3});
  CHECK(dropout(x, {}).is_same(x));
  CHECK(dropout(x, site_of(1, 1.0)).abs().sum().item<float>() == 0);
}
