// Answer scores of extractive question answering as the SQuAD scripts compute them, and perplexity.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/metrics/values.h"

namespace attune::metrics {

/// Lower case, ASCII punctuation removed, the words a/an/the removed, white space collapsed to single spaces.
std::string normalize_answer(std::string_view utf8);

struct AnswerScores {
  double exact_match = 0;  ///< 0 or 1
  double f1 = 0;           ///< over the words of the normalised answers
};

/// The best scores over the gold answers. No gold answer (or only such that normalise to nothing) means that the
/// question has none: right when the prediction normalises to nothing too (SQuAD v2).
AnswerScores score_answer(const std::string& predicted, std::span<const std::string> gold);

/// exact_match · f1, in percent as the scripts give them; where some questions have no answer also HasAns_exact ·
/// HasAns_f1 · NoAns_exact · NoAns_f1. `gold` [questions][answers]; NaN without questions.
Values answer_values(std::span<const std::string> predicted, std::span<const std::vector<std::string>> gold);

/// exp(loss_sum / weight): `loss_sum` in nats over `weight` tokens. Infinity where that overflows, NaN without tokens.
double perplexity(double loss_sum, double weight);

}  // namespace attune::metrics
