// How likely each label is as the answer to a prompt: behind it, or in its gap.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/infer/cloze.h"
#include "attune/infer/likelihood.h"
#include "attune/prompt/writer.h"
#include "attune/study/prompting.h"

namespace attune::study {

/// A prompt as it is put to the model.
struct Question {
  prompt::PromptText prompt;
  std::string text;  ///< the prompt as one text: of a chat what its template makes of it
  std::vector<infer::TextToScore> continuations =
      {};                                   ///< of a causal model: one an answer; the prompt alone where it writes
  std::vector<infer::ClozeText> gaps = {};  ///< of a masked one: one for each number of tokens that answers have
};

/// Scores of one question by label: prompt::score_label.
using LabelScores = std::vector<double>;

class Scorer {
 public:
  virtual ~Scorer() = default;
  /// Tokenises questions; → tokens of each prompt with its longest answer.
  virtual std::vector<std::int64_t> encode(std::span<Question> questions) const = 0;
  /// [questions][labels] of questions that were encoded; nothing after a signal. Adds the tokens to `asked`.
  virtual std::optional<std::vector<LabelScores>> score(std::span<const Question> questions, Asked& asked) const = 0;
};

/// Of the job's model: answers behind prompts of a causal one, in gaps of a masked one. `job` must outlive it.
std::unique_ptr<Scorer> make_scorer(const PromptJob& job);

}  // namespace attune::study
