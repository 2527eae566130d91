// When a training is said to go wrong: not for a spike, not for a high rate, but for losses that rise and stay.
#include "../../src/train/loss_watch.h"

#include <cmath>

#include "catch.h"

using attune::train::LossWatch;

namespace {

constexpr attune::task::BlindLoss kBlind = {.loss = 2.0, .margin = 0.5};

/// The step at which it is said; 0 = never.
int told_at(LossWatch watch, const std::vector<double>& losses) {
  int told = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (!watch.rises(losses[i])) continue;
    REQUIRE(told == 0);  // once
    told = static_cast<int>(i) + 1;
  }
  return told;
}

std::vector<double> then(std::vector<double> losses, std::size_t count, double loss) {
  losses.insert(losses.end(), count, loss);
  return losses;
}

}  // namespace

TEST_CASE("losses that rise above start and blind guess and stay there are told of once", "[train]") {
  const LossWatch watch(kBlind, 64);
  CHECK(told_at(watch, then({1.8}, 40, 20)) == 10);
  CHECK(told_at(watch, then(std::vector<double>(30, 0.4), 40, 2.6)) == 35);  // half of the latest ten
  CHECK(told_at(watch, then({1.8}, 40, 2.4)) == 0);                         // no worse than a blind guess by much
  CHECK(told_at(watch, then({4.0}, 40, 4.4)) == 0);                         // it began there
  CHECK(told_at(watch, then({4.0}, 40, 4.6)) == 10);
}

TEST_CASE("spikes and a few hard rows are no divergence", "[train]") {
  std::vector<double> spikes, hard;
  for (int i = 0; i < 400; ++i) spikes.push_back(i % 10 < 6 ? 1 : 50);
  for (int i = 0; i < 400; ++i) hard.push_back(i / 20 % 4 == 1 ? 3 : 1);  // twenty hard rows in a row
  CHECK(told_at(LossWatch(kBlind, 64), spikes) == 0);
  CHECK(told_at(LossWatch(kBlind, 1), hard) == 0);
  CHECK(told_at(LossWatch(kBlind, 8), hard) > 0);
  CHECK(told_at(LossWatch(std::nullopt, 8), then({1}, 100, 1e9)) == 0);
}

TEST_CASE("a loss beyond all scales is lost, one of large numbers is not", "[train]") {
  LossWatch watch(kBlind, 64);
  CHECK_FALSE(watch.is_lost(6.6e29));  // nothing to compare it with yet
  watch.rises(1.75);
  CHECK(watch.is_lost(6.6e29));
  CHECK(watch.is_lost(2.6e9));
  CHECK_FALSE(watch.is_lost(2.4e9));
  CHECK_FALSE(LossWatch(std::nullopt, 64).is_lost(6.6e29));
  CHECK(watch.describe_lost(6.6e29) ==
        "6.6e+29, more than 1e+09 times what the training began with (1.75) and what a model has that knows nothing (2)");

  // Regression of incomes in cents, one of them a millionaire's among a hundred thousand that earn the same.
  const double outlier = 1e16, rows = 1e5;
  LossWatch incomes(attune::task::BlindLoss{.loss = outlier / rows, .margin = outlier / rows}, 1);
  incomes.rises(0);
  CHECK_FALSE(incomes.is_lost(outlier));
  // Numbers that lie far from zero and close together: their variance says nothing of where a head begins.
  LossWatch years(attune::task::BlindLoss{.loss = 1e-4, .margin = 1e-4}, 8);
  years.rises(2026.0 * 2026.0);
  CHECK_FALSE(years.is_lost(9e6));
}

TEST_CASE("what it says has the loss, the start and the blind guess", "[train]") {
  LossWatch watch(kBlind, 64);
  for (const double loss : then({1.75}, 40, 20.3141)) watch.rises(loss);
  CHECK(watch.describe() == "the loss has risen to 20.31 (it began at 1.75, and a model that knows nothing has 2)");
}
