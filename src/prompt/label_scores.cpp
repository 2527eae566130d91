// See label_scores.h.
#include "attune/prompt/label_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/base/error.h"

namespace attune::prompt {

namespace {

double log_sum_exp(std::span<const double> values) {
  const double largest = *std::ranges::max_element(values);
  if (std::isinf(largest)) return largest;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

std::vector<double> log_softmax(std::span<const double> scores) {
  const double all = log_sum_exp(scores);
  std::vector<double> log_p(scores.begin(), scores.end());
  for (double& value : log_p) value -= all;
  return log_p;
}

}  // namespace

WordScore word_score_of(std::string_view name) {
  if (name == "sum") return WordScore::sum;
  if (name == "mean") return WordScore::mean;
  if (name == "per_character") return WordScore::per_character;
  internal_error("there is no such score of a word");
}

double score_word(std::span<const double> log_probabilities, std::size_t characters, WordScore score) {
  const double sum = std::accumulate(log_probabilities.begin(), log_probabilities.end(), 0.0);
  if (score == WordScore::sum) return sum;
  return sum / static_cast<double>(score == WordScore::mean ? log_probabilities.size() : characters);
}

double score_label(std::span<const double> word_scores) {
  return log_sum_exp(word_scores);
}

std::vector<double> content_free_log_probabilities(std::span<const std::vector<double>> scores) {
  std::vector<double> mean(scores.front().size());
  for (const std::vector<double>& input : scores) {
    const std::vector<double> log_p = log_softmax(input);
    for (std::size_t label = 0; label < mean.size(); ++label) mean[label] += std::exp(log_p[label]);
  }
  for (double& p : mean) p = std::log(p / static_cast<double>(scores.size()));
  return mean;
}

std::vector<double> label_log_probabilities(std::span<const double> scores, std::span<const double> content_free) {
  std::vector<double> log_p = log_softmax(scores);
  if (content_free.empty()) return log_p;
  for (std::size_t label = 0; label < log_p.size(); ++label) log_p[label] -= content_free[label];
  return log_softmax(log_p);
}

}  // namespace attune::prompt
