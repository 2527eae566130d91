// From the log probabilities of label words to a choice between labels: what counts of a word, how the words of a label
// come together, and what a label is held likely without any content.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace attune::prompt {

/// What a word counts.
enum class WordScore {
  sum,           ///< log p of the word: Σ of its tokens
  mean,          ///< the same a token
  per_character  ///< the same a code point of the word as it stands behind the prompt (acc_norm of
                 ///< lm-evaluation-harness)
};

/// "sum", "mean", "per_character". Error{internal} for another name.
WordScore word_score_of(std::string_view name);

/// log_probabilities: of the word's tokens, at least one; characters: at least 1 under per_character.
double score_word(std::span<const double> log_probabilities, std::size_t characters, WordScore score);

/// log Σ exp(score): under `sum` the probability that one of the label's words is said.
double score_label(std::span<const double> word_scores);

/// log p̄ of each label: the mean over content-free inputs of softmax(scores); scores [inputs][labels], at least one
/// input. (Contextual calibration: Zhao et al. 2021, "Calibrate Before Use", section 5.)
std::vector<double> content_free_log_probabilities(std::span<const std::vector<double>> scores);

/// log p of each label: log softmax of the scores, and with `content_free` (as above; empty = none) of these less what
/// the label is held likely without content: q ∝ p / p̄.
std::vector<double> label_log_probabilities(std::span<const double> scores, std::span<const double> content_free = {});

}  // namespace attune::prompt
