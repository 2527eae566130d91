// How likely each label is as the answer to a prompt: behind it, or in its gap.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/prompt/writer.h"
#include "attune/study/prompting.h"
#include "attune/task/answer_texts.h"

namespace attune::study {

/// A prompt as it is put to the model.
struct Question {
  std::string text;                    ///< of a chat what its template makes of it
  task::AnswerTexts answers = {};      ///< where labels are scored
  std::vector<std::int32_t> ids = {};  ///< where the model writes
};

/// Scores of one question by label: prompt::score_label.
using LabelScores = std::vector<double>;

/// Tokenises questions for their answers; → tokens of each prompt with its longest answer.
std::vector<std::int64_t> encode_answers(const PromptJob& job, std::span<const prompt::Continuation> answers,
                                         std::span<Question> questions);

/// [questions][labels] of questions that were encoded: behind prompts of a causal model, in gaps of a masked one.
/// Nothing after a signal. Adds the tokens to `asked`.
std::optional<std::vector<LabelScores>> score_answers(const PromptJob& job,
                                                      std::span<const prompt::Continuation> answers,
                                                      std::span<const Question> questions, Asked& asked);

}  // namespace attune::study
