// Shares of variance against statsmodels', and flip rates.
#include "attune/metrics/variance.h"

#include <cmath>

#include "attune/base/random.h"
#include "metrics/goldens.h"
#include "raises.h"

using namespace attune::metrics;
using attune::testing::check_number;

namespace {

const std::vector<std::string> kTwoFactors = {"wording", "order"};

/// Scores of wordings a, b, c with orders 1, 2.
std::vector<VariantScore> crossed(const std::vector<double>& scores) {
  const std::vector<std::vector<std::string>> levels = {{"a", "1"}, {"a", "2"}, {"b", "1"},
                                                        {"b", "2"}, {"c", "1"}, {"c", "2"}};
  std::vector<VariantScore> variants;
  for (std::size_t i = 0; i < levels.size(); ++i) variants.push_back({levels[i], scores[i]});
  return variants;
}

}  // namespace

TEST_CASE("shares of variance equal statsmodels' analysis of variance", "[metrics][golden]") {
  for (const auto& golden : attune::testing::read_goldens("statistics/variance.json")) {
    INFO(golden["name"].get<std::string>());
    std::vector<VariantScore> scores;
    for (std::size_t i = 0; i < golden["scores"].size(); ++i) {
      scores.push_back({golden["levels"][i].get<std::vector<std::string>>(), golden["scores"][i].get<double>()});
    }
    const auto factors = golden["factors"].get<std::vector<std::string>>();
    const VarianceShares shares = variance_shares(factors, scores);
    REQUIRE(shares.factors.size() == factors.size());
    for (std::size_t f = 0; f < factors.size(); ++f) {
      CHECK(shares.factors[f].factor == factors[f]);
      check_number(factors[f], shares.factors[f].share, golden["shares"][f]);
    }
    check_number("remainder", shares.remainder, golden["remainder"]);
  }
}

TEST_CASE("the means of a factor's levels are told in order of appearance", "[metrics]") {
  const VarianceShares shares = variance_shares(kTwoFactors, crossed({0.5, 0.75, 1, 0.5, 0, 0.25}));
  CHECK(shares.factors[0].means ==
        std::vector<std::pair<std::string, double>>{{"a", 0.625}, {"b", 0.75}, {"c", 0.125}});
  CHECK(shares.factors[1].means == std::vector<std::pair<std::string, double>>{{"1", 0.5}, {"2", 0.5}});
  CHECK(shares.factors[1].share == 0);
  CHECK(shares.factors[0].share + shares.remainder == Approx(1));
}

TEST_CASE("scores that are noise share their variance by chance", "[metrics]") {
  constexpr int kTrials = 2000;
  std::vector<double> shares(2);
  VarianceShares last;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    const attune::RandomKey key(trial, "noise");
    std::vector<double> scores;
    for (std::uint64_t i = 0; i < 6; ++i) scores.push_back(key.normal(i));
    last = variance_shares(kTwoFactors, crossed(scores));
    for (std::size_t f = 0; f < 2; ++f) shares[f] += last.factors[f].share / kTrials;
  }
  CHECK(last.factors[0].chance == Approx(2.0 / 5));
  CHECK(last.factors[1].chance == Approx(1.0 / 5));
  for (std::size_t f = 0; f < 2; ++f) CHECK(shares[f] == Approx(last.factors[f].chance).margin(0.03));
}

TEST_CASE("equal scores have no variance to share", "[metrics]") {
  const VarianceShares shares = variance_shares(kTwoFactors, crossed(std::vector<double>(6, 0.1)));
  CHECK(std::isnan(shares.factors[0].share));
  CHECK(std::isnan(shares.remainder));
}

TEST_CASE("variants that are not crossed are refused by the name of one that is missing", "[metrics]") {
  auto variants = crossed({0.5, 0.75, 1, 0.5, 0, 0.25});
  auto repeated = variants;
  repeated.push_back(variants[2]);
  CHECK_RAISES(variance_shares(kTwoFactors, repeated), data,
               "found 1 score of wording 'a', order '1' where another combination has 2");
  variants.erase(variants.begin() + 3);
  CHECK_RAISES(variance_shares(kTwoFactors, variants), data,
               "found 0 scores of wording 'b', order '2' where another combination has 1");
  CHECK_RAISES(variance_shares({}, variants), internal, "level");
  CHECK_RAISES(variance_shares(kTwoFactors, {}), internal, "scores are needed");
}

TEST_CASE("the spread of scores", "[metrics]") {
  const ScoreSpread spread = spread_of(std::vector<double>{0.5, 0.75, 1});
  CHECK(spread.lowest == 0.5);
  CHECK(spread.highest == 1);
  CHECK(spread.range == 0.5);
  CHECK(spread.mean == 0.75);
  CHECK(spread.sd == 0.25);
  CHECK(std::isnan(spread_of({}).range));
}

TEST_CASE("a row's flip rate is the share of pairs of variants that differ", "[metrics]") {
  const std::vector<std::vector<std::int64_t>> predicted = {{0, 0, 0, 3}, {0, 1, 0, 2}, {0, 1, 0, 1}, {0, 0, 2, 0}};
  const auto rates = flip_rates(predicted);
  REQUIRE(rates.size() == 4);
  CHECK(rates[0] == 0);
  CHECK(rates[1] == Approx(4.0 / 6));  // two against two: k / (2 (k - 1))
  CHECK(rates[2] == Approx(3.0 / 6));
  CHECK(rates[3] == 1);
  CHECK(std::isnan(flip_rates(std::vector<std::vector<std::int64_t>>{{1, 2}}).at(1)));
  CHECK(flip_rates({}).empty());
  CHECK_RAISES(flip_rates(std::vector<std::vector<std::int64_t>>{{1, 2}, {1}}), internal, "the same rows");
}
