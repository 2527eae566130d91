// How likely answers to prompts are: behind the prompt of a causal model, in the gap of a masked one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "attune/models/flops.h"
#include "attune/models/model.h"
#include "attune/task/answer_texts.h"

namespace attune::infer {

struct ScoredAnswers {
  std::vector<task::AnswerScores> scores;  ///< [prompts]
  std::int64_t tokens = 0;                 ///< of the prompts, each once with every answer
  std::int64_t computed_tokens = 0;        ///< that went through the network
};

struct AnswerScoring {
  std::size_t answers = 0;                             ///< that each prompt is asked for
  std::int64_t cache_bytes = std::int64_t{512} << 20;  ///< as ScoringOptions has it
  /// Asked between passes with the number of prompts that are complete, about; yes: nothing comes back.
  std::function<bool(std::size_t complete)> stops = {};
};

/// Behind prompts each answer is a text of likelihood.h, so that a prompt goes through the network once for all
/// answers, and what prompts share once for all of them; gaps are those of cloze.h. Errors are theirs.
std::optional<ScoredAnswers> score_answers(const models::Model& model,
                                           std::span<const task::AnswerTexts* const> prompts,
                                           const AnswerScoring& scoring);

/// What of the answers' texts has to go through the network.
models::PassSize size_of_answers(const models::Model& model, std::span<const task::AnswerTexts* const> prompts);

}  // namespace attune::infer
