// See answers.h.
#include "attune/infer/answers.h"

#include <algorithm>
#include <utility>

#include "attune/infer/cloze.h"
#include "attune/infer/likelihood.h"
#include "checks.h"

namespace attune::infer {

namespace {

using Prompts = std::span<const task::AnswerTexts* const>;

/// Calls visit(prompt, text) for the texts of all prompts in order.
template <class Visit>
void for_each_text(Prompts prompts, Visit visit) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (const task::AnswerText& text : prompts[i]->texts) visit(i, text);
  }
}

/// Each answer as a text of its own.
std::vector<TextToScore> texts_behind(Prompts prompts) {
  std::vector<TextToScore> texts;
  for_each_text(prompts, [&](std::size_t, const task::AnswerText& text) {
    const auto from = static_cast<std::int64_t>(text.places.front()) + 1;
    for (std::size_t answer = 0; answer < text.answers.size(); ++answer) {
      TextToScore& whole = texts.emplace_back();
      whole.ids.assign(text.ids.begin(), text.ids.begin() + from);
      whole.from = from;
      for (const std::int32_t token : text.tokens_of(answer)) whole.ids.push_back(token);
    }
  });
  return texts;
}

/// AnswerScoring::stops as those who score texts ask it; says what it said last.
class Stops {
 public:
  Stops(const AnswerScoring& scoring, std::size_t prompts, std::size_t texts)
      : scoring_(scoring), prompts_(prompts), texts_(texts) {}

  bool operator()(std::size_t complete) {
    return yes = scoring_.stops && scoring_.stops(complete * prompts_ / std::max<std::size_t>(1, texts_));
  }
  bool yes = false;

 private:
  const AnswerScoring& scoring_;
  std::size_t prompts_, texts_;
};

std::optional<ScoredAnswers> score_behind(const models::Model& model, Prompts prompts, const AnswerScoring& scoring,
                                          ScoredAnswers scored) {
  const std::vector<TextToScore> texts = texts_behind(prompts);
  Stops stops(scoring, prompts.size(), texts.size());
  Likelihoods found = likelihoods(model, texts, {.cache_bytes = scoring.cache_bytes, .stops = std::ref(stops)});
  if (stops.yes) return std::nullopt;
  scored.tokens = found.tokens;
  scored.computed_tokens = found.computed_tokens;
  auto next = found.log_probabilities.begin();
  for_each_text(prompts, [&](std::size_t prompt, const task::AnswerText& text) {
    for (const std::int32_t answer : text.answers)
      scored.scores[prompt][static_cast<std::size_t>(answer)] = std::move(*next++);
  });
  return scored;
}

std::optional<ScoredAnswers> score_in_gaps(const models::Model& model, Prompts prompts, const AnswerScoring& scoring,
                                           ScoredAnswers scored) {
  std::vector<ClozeText> texts;
  for_each_text(prompts, [&](std::size_t, const task::AnswerText& text) {
    ClozeText& cloze = texts.emplace_back();
    cloze.ids = text.ids;
    cloze.masks.assign(text.places.begin(), text.places.end());
    for (std::size_t answer = 0; answer < text.answers.size(); ++answer) {
      const auto tokens = text.tokens_of(answer);
      cloze.words.emplace_back(tokens.begin(), tokens.end());
    }
  });
  Stops stops(scoring, prompts.size(), texts.size());
  auto found = cloze_likelihoods(model, texts, std::ref(stops));
  if (stops.yes) return std::nullopt;
  auto next = found.begin();
  for_each_text(prompts, [&](std::size_t prompt, const task::AnswerText& text) {
    scored.tokens += static_cast<std::int64_t>(text.ids.size() * text.answers.size());
    scored.computed_tokens += static_cast<std::int64_t>(text.ids.size());
    for (std::size_t i = 0; i < text.answers.size(); ++i)
      scored.scores[prompt][static_cast<std::size_t>(text.answers[i])] = std::move((*next)[i]);
    ++next;
  });
  return scored;
}

models::PassSize size_in_gaps(Prompts prompts) {
  models::PassSize size;
  for_each_text(prompts, [&](std::size_t, const task::AnswerText& text) {
    size.lengths.push_back(static_cast<std::int64_t>(text.ids.size()));
    size.wanted += static_cast<std::int64_t>(text.places.size());
  });
  return size;
}

/// In lexicographic order a text adds what it does not share with the one before it.
models::PassSize size_behind(Prompts prompts) {
  std::vector<TextToScore> texts = texts_behind(prompts);
  models::PassSize size;
  for (TextToScore& text : texts) {
    size.wanted += static_cast<std::int64_t>(text.ids.size()) - text.from;
    text.ids.pop_back();  // nothing follows from the last token
  }
  std::ranges::sort(texts, {}, &TextToScore::ids);
  const std::vector<std::int32_t>* previous = nullptr;
  for (const TextToScore& text : texts) {
    const std::int64_t shared = previous == nullptr ? 0 : common_length(*previous, text.ids);
    previous = &text.ids;
    const std::int64_t own = static_cast<std::int64_t>(text.ids.size()) - shared;
    if (own == 0) continue;
    size.lengths.push_back(own);
    size.before.push_back(shared);
  }
  return size;
}

}  // namespace

std::optional<ScoredAnswers> score_answers(const models::Model& model, Prompts prompts, const AnswerScoring& scoring) {
  ScoredAnswers scored;
  scored.scores.assign(prompts.size(), task::AnswerScores(scoring.answers));
  const auto score = model.spec().task == models::Task::masked_lm ? score_in_gaps : score_behind;
  return score(model, prompts, scoring, std::move(scored));
}

models::PassSize size_of_answers(const models::Model& model, Prompts prompts) {
  return model.spec().task == models::Task::masked_lm ? size_in_gaps(prompts) : size_behind(prompts);
}

}  // namespace attune::infer
