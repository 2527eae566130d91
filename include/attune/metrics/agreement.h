// Whether several answers to one row agree, and which rows are therefore taken: labels by agreement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace attune::metrics {

/// What several answers to a row come to.
struct Agreement {
  std::int64_t label =
      0;  ///< that most of them hold likeliest; of equals the one with the larger mean probability, then the first
  double share = 0;        ///< of the answers that do
  double probability = 0;  ///< of the label, the mean over all answers
};

/// Of each row of `probabilities` [rows × answers × labels], row-major.
std::vector<Agreement> agreements(std::span<const double> probabilities, std::size_t answers, std::size_t labels);

/// What a row must reach to be taken.
struct AgreementRule {
  double min_share = 1.0;
  double min_probability = 0.0;
  std::optional<std::int64_t> max_per_class;  ///< of a label the surest: by share, then probability, then place
};

/// The rows that reach both minima, ascending. Shares that differ by rounding are equal.
std::vector<std::size_t> agreed_rows(std::span<const Agreement> rows, const AgreementRule& rule);

/// Those of them that remain under rule.max_per_class, ascending.
std::vector<std::size_t> surest_rows(std::span<const Agreement> rows, std::span<const std::size_t> agreed,
                                     const AgreementRule& rule);

}  // namespace attune::metrics
