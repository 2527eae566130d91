// See method_comparison.h.
#include "attune/metrics/method_comparison.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "attune/base/error.h"
#include "attune/metrics/classification.h"
#include "resampling.h"

namespace attune::metrics {
namespace {

/// Being right by row, in the mean over seeds, and under each of them.
struct Rightness {
  std::vector<double> mean;          ///< [rows]
  std::vector<std::uint8_t> mostly;  ///< [rows] under more than half of the seeds
  std::vector<double> by_seed;       ///< [seeds] share of the rows
};

Rightness rightness_of(const MethodPredictions& method, std::span<const std::int64_t> gold) {
  Rightness right{.mean = std::vector<double>(gold.size()), .mostly = {}, .by_seed = {}};
  const auto seeds = static_cast<double>(method.predicted.size());
  for (const auto& predicted : method.predicted) {
    double hits = 0;
    for (std::size_t row = 0; row < gold.size(); ++row) {
      if (predicted[row] != gold[row]) continue;
      right.mean[row] += 1 / seeds;
      ++hits;
    }
    right.by_seed.push_back(hits / static_cast<double>(gold.size()));
  }
  for (const double mean : right.mean) right.mostly.push_back(mean > 0.5 + 1e-9 ? 1 : 0);
  return right;
}

void check_sizes(const MethodComparisonInput& input) {
  const auto fits = [&](const auto& lists) {
    return std::all_of(lists.begin(), lists.end(), [&](const auto& list) { return list.size() == input.gold.size(); });
  };
  bool is_sound = !input.methods.empty() && !input.gold.empty() &&
                  (input.groups.empty() || input.groups.size() == input.gold.size());
  for (const MethodPredictions& method : input.methods) {
    is_sound = is_sound && !method.predicted.empty() && fits(method.predicted) && fits(method.losses) &&
               (method.losses.empty() || method.losses.size() == method.predicted.size());
  }
  if (!is_sound) internal_error("compare_methods: methods, seeds and rows do not fit");
}

double mean_loss(const std::vector<double>* losses, std::span<const double> weights) {
  if (losses == nullptr) return kNaN;
  double sum = 0, total = 0;
  for (std::size_t row = 0; row < losses->size(); ++row) {
    sum += weights[row] * (*losses)[row];
    total += weights[row];
  }
  return total > 0 ? sum / total : kNaN;
}

/// Accuracy, macro F1 and loss of the runs of each method. The input must outlive it.
class MethodScoring {
 public:
  explicit MethodScoring(const MethodComparisonInput& input) : rows_(input.gold.size()), labels_(input.classes) {
    for (const MethodPredictions& method : input.methods) {
      std::vector<WeightedValues>& runs = runs_.emplace_back();
      for (std::size_t seed = 0; seed < method.predicted.size(); ++seed) {
        const auto scorer = std::make_shared<ClassificationScorer>(
            ClassificationInput{.gold = input.gold, .predicted = method.predicted[seed], .labels = labels_});
        const std::vector<double>* losses = method.losses.empty() ? nullptr : &method.losses[seed];
        runs.push_back([scorer, losses](std::span<const double> weights) -> Values {
          const Values all = scorer->values(weights);
          return {{"accuracy", value_of(all, "accuracy")},
                  {"f1_macro", value_of(all, "f1_macro")},
                  {"loss", mean_loss(losses, weights)}};
        });
      }
    }
  }

  /// In the order accuracy, macro F1, loss.
  std::vector<PairedEstimate> pair(std::size_t first, std::size_t second, const BootstrapOptions& options) const {
    return paired_bootstrap(rows_, runs_[first], runs_[second], options);
  }

 private:
  std::size_t rows_;
  std::vector<std::string> labels_;
  std::vector<std::vector<WeightedValues>> runs_;  ///< [methods][seeds]
};

/// The rows that `method` alone gets mostly right.
std::vector<std::size_t> alone_right(const std::vector<Rightness>& right, std::size_t method) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < right[method].mostly.size(); ++row) {
    std::size_t count = 0;
    for (const Rightness& one : right) count += one.mostly[row];
    if (count == 1 && right[method].mostly[row] != 0) rows.push_back(row);
  }
  return rows;
}

/// Counts, test and disagreement of a pair; the estimates are the caller's.
MethodPair tested_pair(const Rightness& first, const Rightness& second, std::span<const std::int64_t> groups) {
  MethodPair pair;
  const PairedRows rows = compare_rows(first.mostly, second.mostly);
  pair.only_first = static_cast<std::int64_t>(rows.only_first.size());
  pair.only_second = static_cast<std::int64_t>(rows.only_second.size());
  std::vector<double> differences(first.mean.size());
  for (std::size_t row = 0; row < differences.size(); ++row) {
    const double difference = second.mean[row] - first.mean[row];
    differences[row] = std::abs(difference) < 1e-9 ? 0 : difference;  // sums of 1 / seeds round
    pair.disagreement += difference * difference;
  }
  pair.disagreement = std::min(1.0, pair.disagreement / static_cast<double>(differences.size()));
  pair.by_sign_flips = first.by_seed.size() > 1 || second.by_seed.size() > 1 || !groups.empty();
  pair.test = pair.by_sign_flips ? sign_flip_test(differences, {.groups = groups})
                                 : mcnemar_exact(pair.only_first, pair.only_second);
  return pair;
}

void adjust(std::vector<MethodPair>& pairs, std::size_t rows, PowerOptions power) {
  std::vector<double> p_values;
  for (const MethodPair& pair : pairs) p_values.push_back(pair.test.p_value);
  const std::vector<double> adjusted = adjusted_p_values(p_values, Correction::holm);
  power.alpha /= static_cast<double>(std::max<std::size_t>(1, pairs.size()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].p_adjusted = adjusted[i];
    pairs[i].detectable = smallest_detectable_difference(static_cast<std::int64_t>(rows), pairs[i].disagreement, power);
  }
}

MethodScore method_score(const Rightness& right, const PairedEstimate& accuracy, const PairedEstimate& f1_macro,
                         const PairedEstimate& loss, Estimate PairedEstimate::* side) {
  return {.seed_accuracies = right.by_seed,
          .accuracy = accuracy.*side,
          .f1_macro = f1_macro.*side,
          .loss = loss.*side,
          .alone = {}};
}

/// How much worse `other` is than the best, in accuracy.
double lag_of(const MethodPair& pair, std::size_t best) {
  return pair.first == best ? -pair.accuracy.value : pair.accuracy.value;
}

}  // namespace

MethodComparison compare_methods(const MethodComparisonInput& input) {
  check_sizes(input);
  const std::size_t count = input.methods.size();
  const MethodScoring scoring(input);
  BootstrapOptions options = input.bootstrap;
  options.groups = input.groups;
  options.weights = {};
  std::vector<Rightness> right;
  for (const MethodPredictions& method : input.methods) right.push_back(rightness_of(method, input.gold));
  MethodComparison result{.methods = {}, .pairs = {}, .alpha = input.power.alpha};
  const std::vector<PairedEstimate> itself = scoring.pair(0, 0, options);
  result.methods.push_back(method_score(right[0], itself[0], itself[1], itself[2], &PairedEstimate::first));
  for (std::size_t first = 0; first < count; ++first) {
    for (std::size_t second = first + 1; second < count; ++second) {
      const std::vector<PairedEstimate> estimates = scoring.pair(first, second, options);
      MethodPair pair = tested_pair(right[first], right[second], input.groups);
      pair.first = first;
      pair.second = second;
      pair.accuracy = estimates[0].difference;
      pair.f1_macro = estimates[1].difference;
      pair.loss = estimates[2].difference;
      result.pairs.push_back(std::move(pair));
      if (first > 0) continue;
      result.methods.push_back(
          method_score(right[second], estimates[0], estimates[1], estimates[2], &PairedEstimate::second));
    }
  }
  const auto trials = static_cast<double>(count_units(unit_of_rows(input.gold.size(), input.groups)));
  for (std::size_t method = 0; method < count; ++method) {
    MethodScore& score = result.methods[method];
    score.alone = alone_right(right, method);
    score.accuracy.interval = share_interval(score.accuracy.interval, trials, 1, options.level);
  }
  adjust(result.pairs, input.gold.size(), input.power);
  return result;
}

const MethodPair& pair_of(const MethodComparison& comparison, std::size_t a, std::size_t b) {
  const auto found = std::find_if(comparison.pairs.begin(), comparison.pairs.end(), [&](const MethodPair& pair) {
    return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
  });
  if (found == comparison.pairs.end()) internal_error("pair_of: there is no such pair");
  return *found;
}

namespace {

/// Of two methods the first: by accuracy, and of equals by cost.
bool is_preferred(const MethodComparison& comparison, std::span<const double> costs, std::size_t a, std::size_t b) {
  const double of_a = comparison.methods[a].accuracy.value, of_b = comparison.methods[b].accuracy.value;
  return of_a > of_b || (of_a == of_b && costs[a] < costs[b]);
}

/// Sets `cheapest` and `chosen` by `best` and `alike`.
void choose_among_alike(const MethodComparison& comparison, std::span<const double> costs, CostMargin margin,
                        MethodChoice& choice) {
  choice.cheapest = choice.best;
  for (const std::size_t method : choice.alike) {
    const double cost = costs[method], least = costs[choice.cheapest];
    const bool is_more_accurate = cost == least && is_preferred(comparison, costs, method, choice.cheapest);
    if (cost < least || is_more_accurate) choice.cheapest = method;
  }
  choice.chosen = choice.cheapest;
  for (const std::size_t method : choice.alike) {
    if (margin.is_clearly_lower(costs[choice.cheapest], costs[method])) continue;
    if (is_preferred(comparison, costs, method, choice.chosen)) choice.chosen = method;
  }
}

}  // namespace

MethodChoice choose_method(const MethodComparison& comparison, std::span<const double> costs, CostMargin margin) {
  const auto& methods = comparison.methods;
  if (methods.empty() || costs.size() != methods.size()) internal_error("choose_method: a cost a method is needed");
  MethodChoice choice{.detectable = kNaN};
  for (std::size_t method = 1; method < methods.size(); ++method) {
    if (is_preferred(comparison, costs, method, choice.best)) choice.best = method;
  }
  choice.alike = {choice.best};
  for (std::size_t method = 0; method < methods.size(); ++method) {
    if (method == choice.best) continue;
    const MethodPair& pair = pair_of(comparison, choice.best, method);
    if (pair.p_adjusted < comparison.alpha) continue;
    if (const double lag = lag_of(pair, choice.best); lag > 0 && lag >= pair.detectable) {  // (not where that is NaN)
      choice.undecided.push_back(method);
      continue;
    }
    choice.alike.push_back(method);
    if (pair.detectable > choice.detectable || std::isnan(choice.detectable)) choice.detectable = pair.detectable;
  }
  choose_among_alike(comparison, costs, margin, choice);
  return choice;
}

}  // namespace attune::metrics
