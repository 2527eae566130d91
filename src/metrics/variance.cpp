// See variance.h.
#include "attune/metrics/variance.h"

#include <algorithm>
#include <map>
#include <set>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/metrics/intervals.h"

namespace attune::metrics {
namespace {

using Combination = std::vector<std::string>;

/// [factors] the levels that occur, in order of appearance.
std::vector<std::vector<std::string>> levels_of(std::size_t factors, std::span<const VariantScore> scores) {
  std::vector<std::vector<std::string>> levels(factors);
  std::vector<std::set<std::string>> seen(factors);
  for (const VariantScore& variant : scores) {
    if (variant.levels.size() != factors) internal_error("variance_shares: a level for each factor is needed");
    for (std::size_t f = 0; f < factors; ++f) {
      if (seen[f].insert(variant.levels[f]).second) levels[f].push_back(variant.levels[f]);
    }
  }
  return levels;
}

/// The first combination of levels, the last factor running fastest, that is not `expected` times in `counts`; empty
/// where there is none. It is met before more combinations were looked at than were scored.
Combination first_uneven(const std::vector<std::vector<std::string>>& levels,
                         const std::map<Combination, std::int64_t>& counts, std::int64_t expected) {
  std::vector<std::size_t> at(levels.size());
  for (;;) {
    Combination combination;
    for (std::size_t f = 0; f < levels.size(); ++f) combination.push_back(levels[f][at[f]]);
    const auto found = counts.find(combination);
    if (found == counts.end() || found->second != expected) return combination;
    std::size_t f = levels.size();
    while (f > 0 && ++at[f - 1] == levels[f - 1].size()) at[--f] = 0;
    if (f == 0) return {};
  }
}

std::string name_combination(std::span<const std::string> factors, const Combination& combination) {
  std::vector<std::string> parts;
  for (std::size_t f = 0; f < factors.size(); ++f) parts.push_back(concat(factors[f], " '", combination[f], "'"));
  return join(parts, ", ");
}

/// Throws unless every combination of levels occurs as often as the one that occurs most.
void check_crossed(std::span<const std::string> factors, const std::vector<std::vector<std::string>>& levels,
                   std::span<const VariantScore> scores) {
  std::map<Combination, std::int64_t> counts;
  std::int64_t most = 0;
  for (const VariantScore& variant : scores) most = std::max(most, ++counts[variant.levels]);
  const Combination uneven = first_uneven(levels, counts, most);
  if (uneven.empty()) return;
  const auto found = counts.find(uneven);
  throw Error(
      ErrorKind::data,
      {.file = "",
       .what = concat("shares of variance need every combination of factors equally often, found ",
                      counted(found == counts.end() ? 0 : found->second, "score"), " of ",
                      name_combination(factors, uneven), " where another combination has ", most),
       .where = "",
       .hint = "score the variants that are missing, or leave out the level that is not crossed with all others"});
}

/// The levels of factor `f` with their mean scores.
std::vector<std::pair<std::string, double>> level_means(std::size_t f, const std::vector<std::string>& levels,
                                                        std::span<const VariantScore> scores) {
  std::map<std::string, std::vector<double>> by_level;
  for (const VariantScore& variant : scores) by_level[variant.levels[f]].push_back(variant.score);
  std::vector<std::pair<std::string, double>> means;
  for (const std::string& level : levels) means.emplace_back(level, mean_and_sd(by_level[level]).mean);
  return means;
}

}  // namespace

ScoreSpread spread_of(std::span<const double> scores) {
  if (scores.empty()) return {kNaN, kNaN, kNaN, kNaN, kNaN};
  const auto [lowest, highest] = std::ranges::minmax(scores);
  const auto [mean, sd] = mean_and_sd(scores);
  return {lowest, highest, highest - lowest, mean, sd};
}

VarianceShares variance_shares(std::span<const std::string> factors, std::span<const VariantScore> scores) {
  const auto levels = levels_of(factors.size(), scores);
  if (factors.empty() || scores.empty()) internal_error("variance_shares: factors and scores are needed");
  check_crossed(factors, levels, scores);
  std::vector<double> all;
  for (const VariantScore& variant : scores) all.push_back(variant.score);
  const ScoreSpread spread = spread_of(all);
  double total = 0;
  for (const double score : all) total += (score - spread.mean) * (score - spread.mean);
  if (!(spread.range > 0)) total = kNaN;  // what rounding leaves of equal scores is no variance

  VarianceShares shares{{}, 1};
  const auto n = static_cast<double>(scores.size());
  for (std::size_t f = 0; f < factors.size(); ++f) {
    FactorShare factor{factors[f], 0, static_cast<double>(levels[f].size() - 1) / (n - 1),
                       level_means(f, levels[f], scores)};
    const double scores_a_level = n / static_cast<double>(levels[f].size());
    for (const auto& [level, mean] : factor.means) {
      factor.share += scores_a_level * (mean - spread.mean) * (mean - spread.mean) / total;
    }
    shares.remainder -= factor.share;
    shares.factors.push_back(std::move(factor));
  }
  if (shares.remainder < 0) shares.remainder = 0;  // by rounding
  return shares;
}

std::vector<double> flip_rates(std::span<const std::vector<std::int64_t>> predicted) {
  const std::size_t rows = predicted.empty() ? 0 : predicted.front().size();
  for (const auto& variant : predicted) {
    if (variant.size() != rows) internal_error("flip_rates: all variants need the same rows");
  }
  const auto k = static_cast<double>(predicted.size());
  std::vector<double> rates(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    std::map<std::int64_t, double> counts;
    for (const auto& variant : predicted) counts[variant[row]] += 1;
    double agreeing = 0;  // ordered pairs
    for (const auto& [label, count] : counts) agreeing += count * (count - 1);
    rates[row] = predicted.size() < 2 ? kNaN : 1 - agreeing / (k * (k - 1));
  }
  return rates;
}

}  // namespace attune::metrics
