// See agreement.h.
#include "attune/metrics/agreement.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace attune::metrics {

namespace {

constexpr double kRounding = 1e-9;

/// `probabilities`: [answers × labels] of one row.
Agreement agreement_of(std::span<const double> probabilities, std::size_t labels) {
  const std::size_t answers = probabilities.size() / labels;
  std::vector<std::size_t> votes(labels, 0);
  std::vector<double> means(labels, 0.0);
  for (std::size_t answer = 0; answer < answers; ++answer) {
    const auto own = probabilities.subspan(answer * labels, labels);
    ++votes[static_cast<std::size_t>(std::ranges::max_element(own) - own.begin())];
    for (std::size_t label = 0; label < labels; ++label) means[label] += own[label] / static_cast<double>(answers);
  }
  std::size_t best = 0;
  for (std::size_t label = 1; label < labels; ++label) {
    if (std::tie(votes[label], means[label]) > std::tie(votes[best], means[best])) best = label;
  }
  return {.label = static_cast<std::int64_t>(best),
          .share = static_cast<double>(votes[best]) / static_cast<double>(answers),
          .probability = means[best]};
}

}  // namespace

std::vector<Agreement> agreements(std::span<const double> probabilities, std::size_t answers, std::size_t labels) {
  std::vector<Agreement> rows;
  const std::size_t size = answers * labels;
  for (std::size_t begin = 0; begin < probabilities.size(); begin += size)
    rows.push_back(agreement_of(probabilities.subspan(begin, size), labels));
  return rows;
}

std::vector<std::size_t> agreed_rows(std::span<const Agreement> rows, const AgreementRule& rule) {
  std::vector<std::size_t> agreed;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const bool is_agreed =
        rows[row].share + kRounding >= rule.min_share && rows[row].probability >= rule.min_probability;
    if (is_agreed) agreed.push_back(row);
  }
  return agreed;
}

std::vector<std::size_t> surest_rows(std::span<const Agreement> rows, std::span<const std::size_t> agreed,
                                     const AgreementRule& rule) {
  std::vector<std::size_t> kept(agreed.begin(), agreed.end());
  if (!rule.max_per_class) return kept;
  std::ranges::stable_sort(kept, [&](std::size_t a, std::size_t b) {
    return std::tie(rows[a].share, rows[a].probability) > std::tie(rows[b].share, rows[b].probability);
  });
  std::map<std::int64_t, std::int64_t> taken;
  std::erase_if(kept, [&](std::size_t row) { return ++taken[rows[row].label] > *rule.max_per_class; });
  std::ranges::sort(kept);
  return kept;
}

}  // namespace attune::metrics
