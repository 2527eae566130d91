// How likely each label is as the answer to a prompt: behind it, or in its gap.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/prompt/writer.h"
#include "attune/study/prompting.h"

namespace attune::study {

/// A prompt as it is put to the model.
struct Question {
  prompt::PromptText prompt;
  std::string text;  ///< the prompt as one text: of a chat what its template makes of it
};

/// Scores of one question by label: prompt::score_label.
using LabelScores = std::vector<double>;

class Scorer {
 public:
  virtual ~Scorer() = default;
  /// Tokens of the prompt with its longest answer, each question.
  virtual std::vector<std::int64_t> lengths(std::span<const Question> questions) const = 0;
  /// [questions][labels]; nothing after a signal. Adds the tokens to `asked`.
  virtual std::optional<std::vector<LabelScores>> score(std::span<const Question> questions, Asked& asked) const = 0;
};

/// Of the job's model: answers behind prompts of a causal one, in gaps of a masked one. `job` must outlive it.
std::unique_ptr<Scorer> make_scorer(const PromptJob& job);

}  // namespace attune::study
