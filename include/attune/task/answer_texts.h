// Answers that a language model may give to a prompt (label words), as its tokens: behind the prompt of a causal model,
// in the gap of one that fills gaps.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/prompt/label_scores.h"
#include "attune/prompt/writer.h"
#include "attune/text/tokenizer.h"

namespace attune::task {

/// A text of the model whose rows say how likely some of the answers are.
struct AnswerText {
  std::vector<std::int32_t> ids;      ///< with special tokens; of a gap with its mask tokens
  std::vector<std::int32_t> places;   ///< the rows that predict the tokens of an answer, ascending
  std::vector<std::int32_t> answers;  ///< which of all answers these are, ascending
  std::vector<std::int32_t> tokens;   ///< [answers][places]

  friend bool operator==(const AnswerText&, const AnswerText&) = default;
  std::span<const std::int32_t> tokens_of(std::size_t answer) const {
    return std::span(tokens).subspan(answer * places.size(), places.size());
  }
};

/// One prompt's texts, which together ask for each answer once.
struct AnswerTexts {
  std::vector<AnswerText> texts;
  std::int64_t longest = 0;  ///< tokens of the prompt with its longest answer
  bool empty() const { return texts.empty(); }
};

/// Behind prompts, each tokenised together with every answer. What an answer counts begins where the answers of its
/// prompt, or the prompt alone, first differ in their tokens, so that all are asked behind the same beginning. The last
/// token of an answer is in no text: nothing follows from it. Answers that are alike up to there share a text.
std::vector<AnswerTexts> answers_behind(std::span<const std::string> prompts,
                                        std::span<const prompt::Continuation> answers,
                                        const text::Tokenizer& tokenizer);

/// In the gap of each prompt, which holds the mask token once: a text for each number of tokens that answers have
/// there, all of them masked. Error{data} for an answer without tokens; Error{model} for a tokenizer without a mask
/// token.
std::vector<AnswerTexts> answers_in_gap(std::span<const std::string> prompts,
                                        std::span<const prompt::Continuation> answers,
                                        const text::Tokenizer& tokenizer);

/// log p of the tokens of each answer to a prompt, natural logarithms: [answers][tokens].
using AnswerScores = std::vector<std::vector<double>>;

/// The scores of `labels` labels (prompt::score_label).
std::vector<double> label_scores(std::span<const prompt::Continuation> answers,
                                 std::span<const std::vector<double>> log_probabilities, prompt::WordScore score,
                                 std::size_t labels);

}  // namespace attune::task
