// Paired tests against statsmodels' and scipy's, and what their resampling promises.
#include "attune/metrics/paired.h"

#include <array>
#include <cmath>

#include "attune/base/error.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using attune::testing::check_number;
using attune::testing::check_numbers;

namespace {

/// The weighted mean of each list as one run of a method; `data` must outlive the runs.
std::vector<WeightedValues> runs_of(const std::vector<std::vector<double>>& data) {
  std::vector<WeightedValues> runs;
  for (const auto& list : data) {
    runs.push_back([&list](std::span<const double> weights) -> Values {
      double sum = 0, total = 0;
      for (std::size_t row = 0; row < list.size(); ++row) {
        sum += weights[row] * list[row];
        total += weights[row];
      }
      return {{"mean", sum / total}};
    });
  }
  return runs;
}

PairedEstimate compare_lists(const std::vector<std::vector<double>>& first,
                             const std::vector<std::vector<double>>& second, const BootstrapOptions& options = {}) {
  return paired_bootstrap(first.front().size(), runs_of(first), runs_of(second), options).at(0);
}

std::vector<double> normal_list(std::size_t count, std::uint64_t seed, double mean = 0) {
  const attune::RandomKey key(seed, "paired test");
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(mean + key.normal(i));
  return numbers;
}

/// `ups` times 1, `downs` times -1 and zeros, of `rows` rows.
std::vector<double> right_or_wrong(std::size_t rows, std::size_t ups, std::size_t downs) {
  std::vector<double> differences(rows);
  for (std::size_t i = 0; i < ups; ++i) differences[2 * i] = 1;
  for (std::size_t i = 0; i < downs; ++i) differences[2 * i + 1] = -1;
  return differences;
}

}  // namespace

TEST_CASE("McNemar's test equals statsmodels'", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/paired.json");
  const auto check_test = [](const std::string& name, const TestResult& result, const nlohmann::json& expected) {
    check_number(name + " statistic", result.statistic, expected[0]);
    check_number(name + " p", result.p_value, expected[1]);
    CHECK(result.p_value == Approx(expected[1].get<double>()).epsilon(1e-7));
  };
  for (const auto& row : golden["mcnemar"]) {
    INFO(row.dump());
    const std::int64_t first = row["only_first"], second = row["only_second"];
    check_test("exact", mcnemar_exact(first, second), row["exact"]);
    check_test("corrected", mcnemar_chi_squared(first, second, Continuity::corrected), row["corrected"]);
    check_test("uncorrected", mcnemar_chi_squared(first, second, Continuity::uncorrected), row["uncorrected"]);
    CHECK(mcnemar_exact(second, first).p_value == Approx(mcnemar_exact(first, second).p_value).epsilon(1e-12));
  }
}

TEST_CASE("methods that never differ are alike", "[metrics]") {
  CHECK(mcnemar_exact(0, 0).p_value == 1);
  CHECK(mcnemar_chi_squared(0, 0, Continuity::corrected).p_value == 1);
  CHECK(mcnemar_chi_squared(0, 0, Continuity::uncorrected).statistic == 0);
}

TEST_CASE("rows are told by which method gets them right", "[metrics]") {
  const std::vector<std::uint8_t> first = {1, 1, 0, 0, 1, 0}, second = {1, 0, 1, 0, 0, 0};
  const PairedRows rows = compare_rows(first, second);
  CHECK(rows.both_right == 1);
  CHECK(rows.both_wrong == 2);
  CHECK(rows.only_first == std::vector<std::size_t>{1, 4});
  CHECK(rows.only_second == std::vector<std::size_t>{2});
  CHECK(rows.rows() == 6);
  CHECK(rows.discordance() == 0.5);
  CHECK(std::isnan(compare_rows({}, {}).discordance()));
  CHECK_THROWS_AS(compare_rows(first, std::vector<std::uint8_t>{1}), attune::Error);
}

TEST_CASE("adjusted p-values equal statsmodels', undefined ones do not count", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/paired.json");
  constexpr std::array kCorrections = {std::pair{"bonferroni", Correction::bonferroni},
                                       std::pair{"holm", Correction::holm},
                                       std::pair{"benjamini_hochberg", Correction::benjamini_hochberg}};
  for (const auto& row : golden["corrections"]) {
    auto p_values = row["p_values"].get<std::vector<double>>();
    for (const auto& [name, correction] : kCorrections) {
      check_numbers(name, adjusted_p_values(p_values, correction), row[name]);
      std::vector<double> with_undefined = p_values;
      with_undefined.insert(with_undefined.begin(), kNaN);
      auto adjusted = adjusted_p_values(with_undefined, correction);
      CHECK(std::isnan(adjusted.front()));
      adjusted.erase(adjusted.begin());
      CHECK(adjusted == adjusted_p_values(p_values, correction));
    }
  }
  CHECK(adjusted_p_values({}, Correction::holm).empty());
}

TEST_CASE("the sign-flip test of few rows equals scipy's", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/paired.json");
  for (const auto& row : golden["sign_flips"]) {
    INFO(row["name"].get<std::string>());
    const auto differences = row["differences"].get<std::vector<double>>();
    const TestResult result = sign_flip_test(differences);
    check_number("statistic", result.statistic, row["statistic"]);
    check_number("p", result.p_value, row["p_value"]);
  }
}

TEST_CASE("drawn sign patterns give the p-value of all of them", "[metrics]") {
  // Of 1 and -1 the sum of all patterns is binomial, so that McNemar's exact test knows the answer.
  for (const auto& [ups, downs] : {std::pair{30, 15}, std::pair{40, 38}, std::pair{33, 12}}) {
    const double exact = mcnemar_exact(downs, ups).p_value;
    const TestResult drawn = sign_flip_test(right_or_wrong(200, ups, downs), {.resamples = 20000});
    INFO(ups << " up, " << downs << " down: " << drawn.p_value << ", exact " << exact);
    CHECK(drawn.statistic == Approx((ups - downs) / 200.0));
    CHECK(std::abs(drawn.p_value - exact) < 4 * std::sqrt(exact * (1 - exact) / 20000) + 1e-4);
  }
  const TestResult impossible = sign_flip_test(right_or_wrong(200, 90, 0), {.resamples = 999});
  CHECK(impossible.p_value == 1 / 1000.0);  // never 0
  const auto list = normal_list(100, 1, 0.1);
  CHECK(sign_flip_test(list).p_value == sign_flip_test(list).p_value);
  CHECK(sign_flip_test(list).p_value != sign_flip_test(list, {.key = attune::RandomKey(7, "sign flips")}).p_value);
}

TEST_CASE("rows that do not differ do not keep the sign-flip test from trying all patterns", "[metrics]") {
  CHECK(sign_flip_test(right_or_wrong(500, 9, 2)).p_value == Approx(mcnemar_exact(9, 2).p_value).epsilon(1e-12));
  CHECK(sign_flip_test(std::vector<double>(30)).p_value == 1);
}

TEST_CASE("groups change their signs whole, undefined differences have no p-value", "[metrics]") {
  const std::vector<double> differences = {0.5, 0.25, 1, -0.25, 2, 0.75}, sums = {0.75, 0.75, 2.75};
  const std::vector<std::int64_t> groups = {4, 4, 9, 9, 1, 1};
  CHECK(sign_flip_test(differences, {.groups = groups}).p_value == sign_flip_test(sums).p_value);
  CHECK(sign_flip_test(differences, {.groups = groups}).p_value == 0.25);
  CHECK(sign_flip_test(differences, {.groups = groups}).statistic == Approx(4.25 / 6));
  CHECK(std::isnan(sign_flip_test({}).p_value));
  CHECK(std::isnan(sign_flip_test(std::vector<double>{1, kNaN}).p_value));
  CHECK_THROWS_AS(sign_flip_test(sums, {.groups = groups}), attune::Error);
}

TEST_CASE("the interval of a paired difference is that of the rows' differences", "[metrics]") {
  // Methods that agree on how hard rows are: the difference is far surer than either mean.
  const auto hardness = normal_list(1000, 1), noise = normal_list(1000, 2);
  std::vector<double> better = hardness, differences;
  for (std::size_t row = 0; row < better.size(); ++row) {
    better[row] += 0.1 + 0.2 * noise[row];
    differences.push_back(better[row] - hardness[row]);
  }
  const PairedEstimate estimate = compare_lists({hardness}, {better});
  const auto [mean, sd] = mean_and_sd(differences);
  const double reach = 1.96 * sd / std::sqrt(1000.0);
  CHECK(estimate.metric == "mean");
  CHECK(estimate.difference.value == Approx(mean));
  CHECK(estimate.difference.value == Approx(estimate.second.value - estimate.first.value));
  CHECK(estimate.difference.interval.low == Approx(mean - reach).margin(0.15 * reach));
  CHECK(estimate.difference.interval.high == Approx(mean + reach).margin(0.15 * reach));
  CHECK(estimate.first.interval.high - estimate.first.interval.low > 4 * 2 * reach);
  const PairedEstimate itself = compare_lists({hardness}, {hardness});
  CHECK(itself.difference.interval.low == 0);
  CHECK(itself.difference.interval.high == 0);
}

TEST_CASE("with one seed a method's interval is that of the bootstrap", "[metrics]") {
  const std::vector<std::vector<double>> first = {normal_list(60, 3)}, second = {normal_list(60, 4)};
  std::vector<std::int64_t> groups;
  std::vector<double> weights;
  for (int row = 0; row < 60; ++row) {
    groups.push_back(row / 3);
    weights.push_back(1 + row % 4);
  }
  const BootstrapOptions options{.resamples = 200, .level = 0.9, .groups = groups, .weights = weights};
  const Interval alone = bootstrap(60, runs_of(second).front(), options).at(0).second;
  const PairedEstimate estimate = compare_lists(first, second, options);
  CHECK(estimate.second.interval.low == alone.low);
  CHECK(estimate.second.interval.high == alone.high);
  CHECK(estimate.second.value == value_of(runs_of(second).front()(weights), "mean"));
}

TEST_CASE("seeds are drawn as rows are, for each method by itself", "[metrics]") {
  // Rows say nothing here: means of two drawn seeds are 0, 1/2 or 1 with probabilities 1/4, 1/2, 1/4.
  const std::vector<double> zeros(10, 0.0), ones(10, 1.0);
  const auto of_level = [&](double level) { return compare_lists({zeros}, {zeros, ones}, {.level = level}); };
  CHECK(of_level(0.95).second.value == 0.5);
  CHECK(of_level(0.95).second.interval.low == 0);
  CHECK(of_level(0.95).second.interval.high == 1);
  CHECK(of_level(0.4).second.interval.low == 0.5);
  CHECK(of_level(0.4).second.interval.high == 0.5);
  CHECK(of_level(0.95).first.interval.high == 0);
  // The difference of two such methods is -1 in one of sixteen resamples, which equal draws of both would never give.
  const PairedEstimate both = compare_lists({zeros, ones}, {zeros, ones}, {.level = 0.95});
  CHECK(both.difference.interval.low == -1);
  CHECK(both.difference.interval.high == 1);
}

TEST_CASE("intervals over rows and seeds cover the truth about as often as they say", "[metrics]") {
  int covered = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    std::vector<std::vector<double>> seeds;
    const auto rows = normal_list(50, 1000 + trial), shifts = normal_list(8, 2000 + trial);
    for (std::size_t seed = 0; seed < 8; ++seed) {
      std::vector<double> scores = normal_list(50, 100'000 + 10 * trial + seed);
      for (std::size_t row = 0; row < 50; ++row) scores[row] = 0.3 * scores[row] + rows[row] + 0.3 * shifts[seed];
      seeds.push_back(scores);
    }
    const Interval interval =
        compare_lists({std::vector<double>(50, 0.0)}, seeds, {.resamples = 200, .level = 0.9}).difference.interval;
    covered += interval.low < 0 && 0 < interval.high;
  }
  CHECK(covered > 162);  // 0.9 of 200 is 180, sd 4.2; eight seeds make it a little less
  CHECK(covered < 195);
}

TEST_CASE("paired intervals do not depend on the number of threads", "[metrics]") {
  const std::vector<std::vector<double>> first = {normal_list(40, 5), normal_list(40, 6), normal_list(40, 7)},
                                         second = {normal_list(40, 8)};
  const Interval alone = compare_lists(first, second).difference.interval;
  const Interval shared = compare_lists(first, second, {.threads = 5}).difference.interval;
  CHECK(shared.low == alone.low);
  CHECK(shared.high == alone.high);
}

TEST_CASE("intervals over rows and seeds are those of a method in a comparison, and with one seed those over rows",
          "[metrics]") {
  const std::vector<std::vector<double>> seeds = {normal_list(40, 5), normal_list(40, 6, 1), normal_list(40, 7, 2)},
                                         one = {normal_list(40, 8)};
  const BootstrapOptions options{.resamples = 300, .threads = 2};
  const Interval found = bootstrap_over_seeds(40, runs_of(seeds), options).at(0).second;
  const Interval compared = compare_lists(seeds, one, options).first.interval;
  CHECK(found.low == compared.low);
  CHECK(found.high == compared.high);
  const std::vector<WeightedValues> runs = runs_of(one);
  const Interval alone = bootstrap_over_seeds(40, runs, options).at(0).second,
                 of_rows = bootstrap(40, runs.front(), options).at(0).second;
  CHECK(alone.low == of_rows.low);
  CHECK(alone.high == of_rows.high);
  CHECK(bootstrap_over_seeds(0, runs, options).empty());
  CHECK_THROWS_AS(bootstrap_over_seeds(40, {}, options), attune::Error);
}

TEST_CASE("methods without predictions or with unlike metrics are not compared", "[metrics]") {
  const std::vector<std::vector<double>> lists = {normal_list(10, 9)};
  const std::vector<WeightedValues> other = {[](std::span<const double>) -> Values { return {{"median", 0.0}}; }};
  CHECK_THROWS_AS(paired_bootstrap(10, runs_of(lists), {}, {}), attune::Error);
  CHECK_THROWS_AS(paired_bootstrap(10, runs_of(lists), other, {}), attune::Error);
  CHECK(paired_bootstrap(0, runs_of(lists), runs_of(lists), {}).empty());
}

TEST_CASE("the smallest detectable difference solves Connor's formula", "[metrics][golden]") {
  const auto golden = attune::testing::read_goldens("statistics/paired.json");
  for (const auto& row : golden["detectable"]) {
    const double found =
        smallest_detectable_difference(row["rows"], row["discordance"], {.alpha = row["alpha"], .power = row["power"]});
    check_number(row.dump(), found, row["difference"]);
  }
  CHECK(std::isnan(smallest_detectable_difference(100, 0)));
  CHECK_THROWS_AS(smallest_detectable_difference(0, 0.1), attune::Error);
  CHECK_THROWS_AS(smallest_detectable_difference(100, 1.1), attune::Error);
  CHECK_THROWS_AS(smallest_detectable_difference(100, 0.1, {.power = 0.2}), attune::Error);
}

TEST_CASE("McNemar's test finds the smallest detectable difference with the power asked for", "[metrics]") {
  constexpr int kRows = 400, kTrials = 3000;
  constexpr double kDiscordance = 0.25;
  const double difference = smallest_detectable_difference(kRows, kDiscordance);
  const attune::RandomKey key(11, "power");
  int found = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    int first = 0, second = 0;
    for (int row = 0; row < kRows; ++row) {
      const double drawn = key.with(static_cast<std::uint64_t>(trial)).uniform(static_cast<std::uint64_t>(row));
      first += drawn < (kDiscordance - difference) / 2;
      second += drawn >= 1 - (kDiscordance + difference) / 2;
    }
    found += mcnemar_chi_squared(first, second, Continuity::uncorrected).p_value < 0.05;
  }
  CHECK(static_cast<double>(found) / kTrials == Approx(0.8).margin(0.03));
}
