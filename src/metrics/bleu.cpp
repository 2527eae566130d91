// See bleu.h.
#include "attune/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "bleu_tokenizers.h"
#include "ngrams.h"
#include "python_text.h"

namespace attune::metrics {
namespace {

double smooth_value(const BleuOptions& options) {
  return options.smooth_value.value_or(options.smoothing == BleuSmoothing::floor ? 0.1 : 1.0);
}

/// The reference length nearest to `length`, the smaller of two.
std::size_t nearest_length(std::size_t length, std::span<const std::u32string> references) {
  const auto gap = [&](std::size_t other) { return std::max(length, other) - std::min(length, other); };
  std::size_t nearest = references.front().size();
  for (const auto& reference : references) {
    const std::size_t other = reference.size();
    if (gap(other) < gap(nearest) || (gap(other) == gap(nearest) && other < nearest)) nearest = other;
  }
  return nearest;
}

double brevity_penalty(const BleuStatistics& statistics) {
  if (statistics.length >= statistics.reference_length) return 1;
  return statistics.length > 0 ? std::exp(1 - statistics.reference_length / statistics.length) : 0;
}

/// Mean of the logarithms; a precision of 0 makes the score vanish, as sacrebleu's -9999999999 does.
double mean_log(std::span<const double> precisions) {
  double sum = 0;
  for (const double precision : precisions) {
    sum += precision == 0 ? -std::numeric_limits<double>::infinity() : std::log(precision);
  }
  return sum / static_cast<double>(precisions.size());
}

}  // namespace

void BleuStatistics::add(const BleuStatistics& other, double weight) {
  length += weight * other.length;
  reference_length += weight * other.reference_length;
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    matches[n] += weight * other.matches[n];
    ngrams[n] += weight * other.ngrams[n];
  }
}

std::vector<std::string> bleu_words(std::string_view utf8, const BleuOptions& options) {
  std::u32string text = to_utf32(utf8);
  if (options.lowercase) text = lower(text);
  while (!text.empty() && is_white_space(text.back())) text.pop_back();
  if (options.tokenizer == BleuTokenizer::v13a) text = set_apart_13a(std::move(text));
  if (options.tokenizer == BleuTokenizer::intl) text = set_apart_international(std::move(text));
  std::vector<std::string> words;
  for (const auto word : split_white_space(text)) words.push_back(to_utf8(word));
  return words;
}

BleuStatistics bleu_statistics(std::string_view hypothesis, std::span<const std::string> references,
                               const BleuOptions& options) {
  if (references.empty()) internal_error("BLEU needs a reference");
  WordNumbers numbers;
  const std::u32string mine = numbers.of(bleu_words(hypothesis, options));
  std::vector<std::u32string> wanted;
  for (const std::string& reference : references) wanted.push_back(numbers.of(bleu_words(reference, options)));
  BleuStatistics statistics{.length = static_cast<double>(mine.size()),
                            .reference_length = static_cast<double>(nearest_length(mine.size(), wanted))};
  for (std::size_t n = 1; n <= kBleuOrder; ++n) {
    Ngrams in_references;
    for (const auto& reference : wanted) in_references = largest_counts(in_references, ngrams(reference, n));
    const Ngrams in_hypothesis = ngrams(mine, n);
    statistics.matches[n - 1] = static_cast<double>(matches(in_hypothesis, in_references));
    statistics.ngrams[n - 1] = static_cast<double>(in_hypothesis.size());
  }
  return statistics;
}

BleuScore bleu_score(const BleuStatistics& statistics, const BleuOptions& options) {
  BleuScore result{.brevity_penalty = brevity_penalty(statistics)};
  if (std::all_of(statistics.matches.begin(), statistics.matches.end(), [](double m) { return m == 0; })) return result;
  double halved = 1;  // 1, 2, 4, …: the divisor of BleuSmoothing::exp
  std::size_t orders = options.effective_order ? 0 : kBleuOrder;
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    const double added = options.smoothing == BleuSmoothing::add_k && n > 0 ? smooth_value(options) : 0;
    const double matched = statistics.matches[n] + added, all = statistics.ngrams[n] + added;
    if (all == 0) break;
    if (options.effective_order) orders = n + 1;
    if (matched != 0) {
      result.precisions[n] = 100 * matched / all;
    } else if (options.smoothing == BleuSmoothing::exp) {
      halved *= 2;
      result.precisions[n] = 100 / (halved * all);
    } else if (options.smoothing == BleuSmoothing::floor) {
      result.precisions[n] = 100 * smooth_value(options) / all;
    }
  }
  result.score = result.brevity_penalty * std::exp(mean_log(std::span(result.precisions).first(orders)));
  return result;
}

}  // namespace attune::metrics
