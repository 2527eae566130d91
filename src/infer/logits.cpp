// See logits.h.
#include "logits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "attune/base/error.h"

namespace attune::infer {

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// e^(score - largest) of each, not yet divided by their sum.
std::vector<double> weights_of(std::span<const float> scores) {
  const float largest = *std::max_element(scores.begin(), scores.end());
  std::vector<double> weights(scores.size());
  std::transform(scores.begin(), scores.end(), weights.begin(),
                 [&](float score) { return std::exp(static_cast<double>(score - largest)); });
  return weights;
}

}  // namespace

LogitsProcessors::LogitsProcessors(const GenerationOptions& options, std::int64_t prompt)
    : options_(options),
      prompt_(prompt),
      kept_at_least_(options.num_beams > 1
                         ? std::max<std::int64_t>(1, static_cast<std::int64_t>(options.eos_token_id.size())) + 1
                         : 1) {}

void LogitsProcessors::apply(std::span<float> scores, std::span<const std::int32_t> ids) const {
  if (options_.repetition_penalty != 1.0) penalise_repetition(scores, ids);
  if (options_.no_repeat_ngram_size > 0) forbid_repeated_ngrams(scores, ids);
  if (static_cast<std::int64_t>(ids.size()) - prompt_ < options_.min_new_tokens) forbid_end(scores);
  if (!options_.do_sample) return;
  if (options_.temperature != 1.0) {
    for (float& score : scores) score /= static_cast<float>(options_.temperature);
  }
  if (options_.top_k > 0) keep_top_k(scores);
  if (options_.top_p < 1.0) keep_top_p(scores);
  if (options_.min_p) keep_min_p(scores);
}

/// Keskar et al. 2019 (CTRL), once a token however often it occurred.
void LogitsProcessors::penalise_repetition(std::span<float> scores, std::span<const std::int32_t> ids) const {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  for (const std::int32_t id : std::set<std::int32_t>(ids.begin(), ids.end())) {
    float& score = scores[id];
    score = score < 0 ? score * penalty : score / penalty;
  }
}

void LogitsProcessors::forbid_repeated_ngrams(std::span<float> scores, std::span<const std::int32_t> ids) const {
  const auto size = static_cast<std::size_t>(options_.no_repeat_ngram_size);
  if (ids.size() + 1 < size) return;
  const auto last = ids.last(size - 1);
  for (std::size_t at = 0; at + size <= ids.size(); ++at) {
    if (std::equal(last.begin(), last.end(), ids.begin() + static_cast<std::ptrdiff_t>(at)))
      scores[ids[at + size - 1]] = kNever;
  }
}

void LogitsProcessors::forbid_end(std::span<float> scores) const {
  for (const std::int64_t id : options_.eos_token_id) {
    if (id < static_cast<std::int64_t>(scores.size())) scores[id] = kNever;
  }
}

void LogitsProcessors::keep_top_k(std::span<float> scores) const {
  const std::size_t kept = std::min<std::size_t>(std::max(options_.top_k, kept_at_least_), scores.size());
  std::vector<float> sorted(scores.begin(), scores.end());
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(kept - 1), sorted.end(),
                   std::greater<>());
  const float least = sorted[kept - 1];
  for (float& score : scores) {
    if (score < least) score = kNever;
  }
}

/// Holtzman et al. 2019: from the least likely on, tokens go while those up to them have at most 1 - top_p together.
void LogitsProcessors::keep_top_p(std::span<float> scores) const {
  const std::vector<double> weights = weights_of(scores);
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double sum = 0.0;
  for (std::size_t i = 0; i + static_cast<std::size_t>(kept_at_least_) < order.size(); ++i) {
    sum += weights[order[i]] / all;
    if (sum > 1.0 - options_.top_p) return;
    scores[order[i]] = kNever;
  }
}

/// Nguyen et al. 2024.
void LogitsProcessors::keep_min_p(std::span<float> scores) const {
  const std::vector<double> weights = weights_of(scores);  // the most likely one has 1
  std::vector<double> sorted = weights;
  const std::size_t kept = std::min(static_cast<std::size_t>(kept_at_least_), sorted.size());
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(kept - 1), sorted.end(),
                   std::greater<>());
  const double least = std::min(*options_.min_p, sorted[kept - 1]);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (weights[i] < least) scores[i] = kNever;
  }
}

void log_softmax(std::span<float> scores) {
  const float largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score - largest));
  const auto log_sum = static_cast<float>(std::log(sum));
  for (float& score : scores) score = score - largest - log_sum;
}

std::int64_t most_likely(std::span<const float> scores) {
  const bool is_number = std::none_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
  const auto best = std::max_element(scores.begin(), scores.end());
  if (!is_number || !std::isfinite(*best)) {
    throw Error(ErrorKind::diverged, {.file = {},
                                      .what = "the model's scores of the next token are no finite numbers",
                                      .where = {},
                                      .hint = "check the model's weights, and options that forbid tokens"});
  }
  return best - scores.begin();
}

std::int64_t draw(std::span<const float> scores, const RandomKey& key, std::uint64_t i) {
  std::int64_t last = most_likely(scores);
  const std::vector<double> weights = weights_of(scores);
  double left = key.uniform(i) * std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t token = 0; token < weights.size(); ++token) {
    if (weights[token] == 0.0) continue;
    last = static_cast<std::int64_t>(token);
    left -= weights[token];
    if (left < 0.0) break;
  }
  return last;
}

}  // namespace attune::infer
