// Single-label classification: counts per class and what follows from them, then what needs probabilities.
#include "attune/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "attune/base/error.h"
#include "f_scores.h"

namespace attune::metrics {
namespace {

constexpr std::size_t kBins = 15;

double upper_end(std::size_t bin) {
  return static_cast<double>(bin + 1) / kBins;
}

std::uint8_t bin_of(double confidence) {
  std::uint8_t bin = 0;
  while (bin + 1u < kBins && confidence > upper_end(bin)) ++bin;
  return bin;
}

double weight_of(std::span<const double> weights, std::size_t row) {
  return weights.empty() ? 1.0 : weights[row];
}

double weighted_mean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0, total = 0;
  for (std::size_t row = 0; row < values.size(); ++row) {
    const double weight = weight_of(weights, row);
    sum += weight * values[row];
    total += weight;
  }
  return total > 0 ? sum / total : kNaN;
}

void check(const ClassificationInput& input) {
  const std::size_t rows = input.gold.size(), classes = input.labels.size();
  if (input.predicted.size() != rows || (!input.weights.empty() && input.weights.size() != rows) ||
      (!input.probabilities.empty() && input.probabilities.size() != rows * classes)) {
    internal_error("classification metrics: the sizes of gold, predicted, weights and probabilities do not fit");
  }
  const auto outside = [&](std::int64_t id) { return id < 0 || id >= static_cast<std::int64_t>(classes); };
  if (std::any_of(input.gold.begin(), input.gold.end(), outside) ||
      std::any_of(input.predicted.begin(), input.predicted.end(), outside)) {
    internal_error("classification metrics: a label id is out of range");
  }
}

}  // namespace

struct ClassificationScorer::Counts {
  std::vector<FCounts> classes;
  double rows = 0;
  double correct = 0;
};

ClassificationScorer::ClassificationScorer(const ClassificationInput& input)
    : input_(input), classes_(input.labels.size()) {
  check(input);
  if (input.probabilities.empty()) return;
  const std::size_t rows = input.gold.size();
  for (std::size_t c = classes_ == 2 ? 1 : 0; c < classes_; ++c) {
    std::vector<std::uint8_t> positive(rows);
    std::vector<double> scores(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      positive[row] = input.gold[row] == static_cast<std::int64_t>(c);
      scores[row] = input.probabilities[row * classes_ + c];
    }
    rankings_.emplace_back(positive, scores);
  }
  constexpr double eps = std::numeric_limits<double>::epsilon();
  for (std::size_t row = 0; row < rows; ++row) {
    const auto p = input.probabilities.subspan(row * classes_, classes_);
    const auto gold = static_cast<std::size_t>(input.gold[row]);
    const auto top = std::max_element(p.begin(), p.end());
    confidence_.push_back(*top);
    bins_.push_back(bin_of(*top));
    top_is_gold_.push_back(static_cast<std::size_t>(top - p.begin()) == gold);
    log_loss_.push_back(-std::log(std::clamp(p[gold], eps, 1 - eps)));
    double squares = 0;
    for (std::size_t c = 0; c < classes_; ++c) squares += std::pow(p[c] - (c == gold ? 1.0 : 0.0), 2);
    // scikit-learn halves the two-class sum (scale_by_half="auto"), which is (p - y)² of one label when rows sum to 1.
    brier_.push_back(classes_ <= 2 ? squares / 2 : squares);
  }
}

ClassificationScorer::Counts ClassificationScorer::count(std::span<const double> weights) const {
  Counts counts;
  counts.classes.resize(classes_);
  for (std::size_t row = 0; row < input_.gold.size(); ++row) {
    const double weight = weight_of(weights, row);
    const std::int64_t gold = input_.gold[row], predicted = input_.predicted[row];
    counts.rows += weight;
    counts.classes[static_cast<std::size_t>(gold)].gold += weight;
    counts.classes[static_cast<std::size_t>(predicted)].predicted += weight;
    if (gold != predicted) continue;
    counts.correct += weight;
    counts.classes[static_cast<std::size_t>(gold)].hit += weight;
  }
  return counts;
}

namespace {

/// Matthews correlation for any number of classes (Gorodkin 2004); 0 where it is undefined.
double matthews(std::span<const FCounts> classes, double correct, double rows) {
  double gold_predicted = 0, gold_gold = 0, predicted_predicted = 0;
  for (const auto& c : classes) {
    gold_predicted += c.gold * c.predicted;
    gold_gold += c.gold * c.gold;
    predicted_predicted += c.predicted * c.predicted;
  }
  const double spread = (rows * rows - predicted_predicted) * (rows * rows - gold_gold);
  return spread > 0 ? (correct * rows - gold_predicted) / std::sqrt(spread) : 0.0;
}

}  // namespace

Values ClassificationScorer::values(std::span<const double> weights) const {
  const Counts counts = count(weights);
  std::vector<FCounts> present;
  std::copy_if(counts.classes.begin(), counts.classes.end(), std::back_inserter(present),
               [](const FCounts& c) { return c.gold > 0 || c.predicted > 0; });
  const bool none = !(counts.rows > 0);
  double most_frequent = 0;
  for (const auto& c : present) most_frequent = std::max(most_frequent, c.gold);
  const FAverage macro = macro_average(present), weighted = support_average(present);
  const double accuracy = none ? kNaN : counts.correct / counts.rows;
  Values values = {{"accuracy", accuracy},
                   {"majority_rate", none ? kNaN : most_frequent / counts.rows},
                   {"f1", macro.f1},
                   {"f1_macro", macro.f1},
                   {"f1_micro", accuracy},  // each row has one label: micro precision = recall = accuracy
                   {"f1_weighted", weighted.f1},
                   {"precision_macro", macro.precision},
                   {"recall_macro", macro.recall},
                   {"precision_weighted", weighted.precision},
                   {"recall_weighted", weighted.recall},
                   {"mcc", none ? kNaN : matthews(counts.classes, counts.correct, counts.rows)}};
  if (classes_ == 2) {
    const FCounts& positive = counts.classes[1];
    values.emplace_back("precision_positive", none ? kNaN : positive.precision());
    values.emplace_back("recall_positive", none ? kNaN : positive.recall());
    values.emplace_back("f1_positive", none ? kNaN : positive.f1());
  }
  if (!input_.probabilities.empty() || none) add_probability_values(counts, weights, values);
  return values;
}

void ClassificationScorer::add_probability_values(const Counts& counts, std::span<const double> weights,
                                                  Values& values) const {
  double roc_auc = 0, average_precision = 0, ranked = 0;
  for (std::size_t i = 0; i < rankings_.size(); ++i) {
    if (classes_ != 2 && !(counts.classes[i].gold > 0)) continue;  // a class that no row has cannot be ranked
    const RankingScores scores = rankings_[i].evaluate(weights);
    roc_auc += scores.roc_auc;
    average_precision += scores.average_precision;
    ranked += 1;
  }
  const bool none = ranked == 0 || !(counts.rows > 0);
  values.emplace_back("roc_auc", none ? kNaN : roc_auc / ranked);
  values.emplace_back("pr_auc", none ? kNaN : average_precision / ranked);
  values.emplace_back("brier", weighted_mean(brier_, weights));
  double calibration_error = none ? kNaN : 0;
  for (const auto& bin : reliability(weights)) {
    if (bin.rows > 0) calibration_error += bin.rows / counts.rows * std::abs(bin.accuracy - bin.mean_confidence);
  }
  values.emplace_back("ece", calibration_error);
  values.emplace_back("log_loss", weighted_mean(log_loss_, weights));
}

std::vector<ReliabilityBin> ClassificationScorer::reliability(std::span<const double> weights) const {
  if (input_.probabilities.empty()) return {};
  std::vector<ReliabilityBin> bins(kBins);
  for (std::size_t b = 0; b < kBins; ++b) {
    bins[b].lower = static_cast<double>(b) / kBins;
    bins[b].upper = upper_end(b);
  }
  for (std::size_t row = 0; row < confidence_.size(); ++row) {
    const double weight = weight_of(weights, row);
    ReliabilityBin& bin = bins[bins_[row]];
    bin.rows += weight;
    bin.mean_confidence += weight * confidence_[row];
    bin.accuracy += weight * top_is_gold_[row];
  }
  for (auto& bin : bins) {
    bin.mean_confidence = bin.rows > 0 ? bin.mean_confidence / bin.rows : kNaN;
    bin.accuracy = bin.rows > 0 ? bin.accuracy / bin.rows : kNaN;
  }
  return bins;
}

std::vector<ClassScores> ClassificationScorer::per_class() const {
  const Counts counts = count(input_.weights);
  std::vector<ClassScores> result;
  for (std::size_t c = 0; c < classes_; ++c) {
    const FCounts& of = counts.classes[c];
    result.push_back({input_.labels[c], of.precision(), of.recall(), of.f1(), of.gold, of.predicted});
  }
  return result;
}

std::vector<std::vector<double>> ClassificationScorer::confusion_matrix() const {
  std::vector<std::vector<double>> matrix(classes_, std::vector<double>(classes_));
  for (std::size_t row = 0; row < input_.gold.size(); ++row) {
    matrix[static_cast<std::size_t>(input_.gold[row])][static_cast<std::size_t>(input_.predicted[row])] +=
        weight_of(input_.weights, row);
  }
  return matrix;
}

std::vector<ThresholdPoint> ClassificationScorer::thresholds() const {
  if (classes_ != 2 || input_.probabilities.empty()) return {};
  std::vector<std::uint8_t> positive;
  std::vector<double> scores;
  for (std::size_t row = 0; row < input_.gold.size(); ++row) {
    positive.push_back(input_.gold[row] == 1);
    scores.push_back(input_.probabilities[row * 2 + 1]);
  }
  return threshold_curve(positive, scores, input_.weights);
}

ClassificationReport classification_report(const ClassificationInput& input) {
  const ClassificationScorer scorer(input);
  return {.values = scorer.values(),
          .per_class = scorer.per_class(),
          .confusion_matrix = scorer.confusion_matrix(),
          .reliability = scorer.reliability(input.weights),
          .thresholds = scorer.thresholds()};
}

namespace {

nlohmann::ordered_json thresholds_to_json(const ClassificationReport& report) {
  constexpr std::size_t most = 200;
  auto points = nlohmann::ordered_json::array();
  for (const ThresholdPoint& point : thinned(report.thresholds, most)) {
    points.push_back({{"threshold", point.threshold},
                      {"precision", point.precision},
                      {"recall", point.recall},
                      {"flagged", point.flagged}});
  }
  return {{"positive", report.per_class[1].label}, {"points", points}};
}

}  // namespace

nlohmann::ordered_json per_class_to_json(std::span<const ClassScores> per_class) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& scores : per_class) {
    json[scores.label] = {
        {"precision", scores.precision}, {"recall", scores.recall}, {"f1", scores.f1}, {"support", scores.support}};
  }
  return json;
}

nlohmann::ordered_json detail_to_json(const ClassificationReport& report) {
  auto labels = nlohmann::ordered_json::array();
  for (const auto& scores : report.per_class) labels.push_back(scores.label);
  nlohmann::ordered_json detail = {{"per_class", per_class_to_json(report.per_class)},
                                   {"confusion_matrix", {{"labels", labels}, {"counts", report.confusion_matrix}}}};
  if (!report.thresholds.empty()) detail["thresholds"] = thresholds_to_json(report);
  if (report.reliability.empty()) return detail;
  auto& bins = detail["reliability"] = nlohmann::ordered_json::array();
  for (const auto& bin : report.reliability) {
    bins.push_back({{"lower", bin.lower},
                    {"upper", bin.upper},
                    {"rows", bin.rows},
                    {"mean_confidence", json_number(bin.mean_confidence)},
                    {"accuracy", json_number(bin.accuracy)}});
  }
  return detail;
}

}  // namespace attune::metrics
