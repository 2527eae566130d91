// How much generated texts overlap with their references: all measures at once, ready for a bootstrap over the texts.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "attune/metrics/bleu.h"
#include "attune/metrics/chrf.h"
#include "attune/metrics/rouge.h"
#include "attune/metrics/spans.h"
#include "attune/metrics/values.h"

namespace attune::metrics {

struct OverlapOptions {
  BleuOptions bleu = {};
  RougeOptions rouge = {};
  ChrfOptions chrf = {};  ///< its word_order is chrf's; chrf++ always has 2
};

/// Reads each text once; what is kept of it are counts and scores, so that many weightings (bootstrap resamples) are
/// cheap.
class OverlapScorer {
 public:
  /// `predicted` [texts], `references` [texts][at least one]. Throws Error{internal} when the sizes do not fit.
  OverlapScorer(std::span<const std::string> predicted, std::span<const std::vector<std::string>> references,
                const OverlapOptions& options = {});

  /// exact_match · f1 (of words, as the SQuAD script; both in percent) · rouge1 · rouge2 · rougeL · rougeLsum (mean F1,
  /// 0 … 1) · bleu · chrf · chrf++ (of the corpus, 0 … 100). `weights` [texts] or empty for 1 each. NaN without texts.
  Values values(std::span<const double> weights = {}) const;
  /// The same of one text alone.
  Values values_of(std::size_t text) const;

 private:
  struct Text {
    AnswerScores answer;
    RougeScores rouge;
    BleuStatistics bleu;
    ChrfStatistics chrf, chrf_words;
  };
  /// Adds `weight` times the scores and counts of a text.
  static void add(const Text& text, double weight, Text& sum);
  /// Of texts whose weights sum to `total`.
  Values values_of_sum(const Text& sum, double total) const;

  OverlapOptions options_;
  ChrfOptions chrf_words_;
  std::vector<Text> texts_;
};

}  // namespace attune::metrics
