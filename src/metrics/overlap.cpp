// See overlap.h.
#include "attune/metrics/overlap.h"

#include <limits>

#include "attune/base/error.h"

namespace attune::metrics {

OverlapScorer::OverlapScorer(std::span<const std::string> predicted,
                             std::span<const std::vector<std::string>> references, const OverlapOptions& options)
    : options_(options), chrf_words_(options.chrf) {
  if (predicted.size() != references.size()) internal_error("overlap metrics: each text needs its references");
  chrf_words_.word_order = 2;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    texts_.push_back({.answer = score_answer(predicted[i], references[i]),
                      .rouge = rouge_scores(predicted[i], references[i], options_.rouge),
                      .bleu = bleu_statistics(predicted[i], references[i], options_.bleu),
                      .chrf = chrf_statistics(predicted[i], references[i], options_.chrf),
                      .chrf_words = chrf_statistics(predicted[i], references[i], chrf_words_)});
  }
}

Values OverlapScorer::values(std::span<const double> weights) const {
  if (!weights.empty() && weights.size() != texts_.size()) internal_error("overlap metrics: each text needs a weight");
  Text sum;
  double total = 0;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const double weight = weights.empty() ? 1.0 : weights[i];
    add(texts_[i], weight, sum);
    total += weight;
  }
  return values_of_sum(sum, total);
}

Values OverlapScorer::values_of(std::size_t text) const {
  Text sum;
  add(texts_.at(text), 1.0, sum);
  return values_of_sum(sum, 1.0);
}

void OverlapScorer::add(const Text& text, double weight, Text& sum) {
  sum.answer.exact_match += weight * text.answer.exact_match;
  sum.answer.f1 += weight * text.answer.f1;
  sum.rouge.rouge1.f1 += weight * text.rouge.rouge1.f1;
  sum.rouge.rouge2.f1 += weight * text.rouge.rouge2.f1;
  sum.rouge.rougeL.f1 += weight * text.rouge.rougeL.f1;
  sum.rouge.rougeLsum.f1 += weight * text.rouge.rougeLsum.f1;
  sum.bleu.add(text.bleu, weight);
  sum.chrf.add(text.chrf, weight);
  sum.chrf_words.add(text.chrf_words, weight);
}

Values OverlapScorer::values_of_sum(const Text& sum, double total) const {
  const auto of_texts = [&](double value) { return total > 0 ? value : std::numeric_limits<double>::quiet_NaN(); };
  return {{"exact_match", of_texts(100 * sum.answer.exact_match / total)},
          {"f1", of_texts(100 * sum.answer.f1 / total)},
          {"rouge1", of_texts(sum.rouge.rouge1.f1 / total)},
          {"rouge2", of_texts(sum.rouge.rouge2.f1 / total)},
          {"rougeL", of_texts(sum.rouge.rougeL.f1 / total)},
          {"rougeLsum", of_texts(sum.rouge.rougeLsum.f1 / total)},
          {"bleu", of_texts(bleu_score(sum.bleu, options_.bleu).score)},
          {"chrf", of_texts(chrf_score(sum.chrf, options_.chrf))},
          {"chrf++", of_texts(chrf_score(sum.chrf_words, chrf_words_))}};
}

}  // namespace attune::metrics
