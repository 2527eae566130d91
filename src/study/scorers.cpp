// See scorers.h.
#include "scorers.h"

#include <utility>

#include "attune/base/signals.h"
#include "attune/infer/cloze.h"
#include "attune/infer/likelihood.h"

namespace attune::study {

namespace {

/// log p of the tokens of each answer to a question.
using AnswerScores = std::vector<std::vector<double>>;

bool fills_gaps(const PromptJob& job) {
  return job.loaded.model->spec().task == models::Task::masked_lm;
}

/// Calls visit(question, text) for the texts of all questions in order.
template <class Visit>
void for_each_text(std::span<const Question> questions, Visit visit) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (const task::AnswerText& text : questions[i].answers.texts) visit(i, text);
  }
}

/// Each answer as a text of its own; the trie of all of them shares what they share.
std::optional<std::vector<AnswerScores>> scores_behind(const PromptJob& job, std::vector<AnswerScores> scores,
                                                       std::span<const Question> questions, Asked& asked) {
  std::vector<infer::TextToScore> texts;
  for_each_text(questions, [&](std::size_t, const task::AnswerText& text) {
    const auto from = static_cast<std::int64_t>(text.places.front()) + 1;
    for (std::size_t answer = 0; answer < text.answers.size(); ++answer) {
      infer::TextToScore& whole = texts.emplace_back();
      whole.ids.assign(text.ids.begin(), text.ids.begin() + from);
      whole.from = from;
      for (const std::int32_t token : text.tokens_of(answer)) whole.ids.push_back(token);
    }
  });
  bool stopped = false;
  const auto stops = [&](std::size_t) { return stopped = stop_signal() != 0; };
  infer::Likelihoods found = infer::likelihoods(*job.loaded.model, texts, {.stops = stops});
  if (stopped) return std::nullopt;
  asked.tokens += found.tokens;
  asked.computed_tokens += found.computed_tokens;
  auto next = found.log_probabilities.begin();
  for_each_text(questions, [&](std::size_t question, const task::AnswerText& text) {
    for (const std::int32_t answer : text.answers)
      scores[question][static_cast<std::size_t>(answer)] = std::move(*next++);
  });
  return scores;
}

std::optional<std::vector<AnswerScores>> scores_in_gaps(const PromptJob& job, std::vector<AnswerScores> scores,
                                                        std::span<const Question> questions, Asked& asked) {
  std::vector<infer::ClozeText> texts;
  for_each_text(questions, [&](std::size_t, const task::AnswerText& text) {
    infer::ClozeText& cloze = texts.emplace_back();
    cloze.ids = text.ids;
    cloze.masks.assign(text.places.begin(), text.places.end());
    for (std::size_t answer = 0; answer < text.answers.size(); ++answer) {
      const auto tokens = text.tokens_of(answer);
      cloze.words.emplace_back(tokens.begin(), tokens.end());
    }
  });
  bool stopped = false;
  auto found =
      infer::cloze_likelihoods(*job.loaded.model, texts, [&](std::size_t) { return stopped = stop_signal() != 0; });
  if (stopped) return std::nullopt;
  auto next = found.begin();
  for_each_text(questions, [&](std::size_t question, const task::AnswerText& text) {
    asked.tokens += static_cast<std::int64_t>(text.ids.size() * text.answers.size());
    asked.computed_tokens += static_cast<std::int64_t>(text.ids.size());
    for (std::size_t i = 0; i < text.answers.size(); ++i) {
      scores[question][static_cast<std::size_t>(text.answers[i])] = std::move((*next)[i]);
    }
    ++next;
  });
  return scores;
}

}  // namespace

std::vector<std::int64_t> encode_answers(const PromptJob& job, std::span<const prompt::Continuation> answers,
                                         std::span<Question> questions) {
  std::vector<std::string> prompts;
  for (const Question& question : questions) prompts.push_back(question.text);
  const auto encode = fills_gaps(job) ? task::answers_in_gap : task::answers_behind;
  std::vector<task::AnswerTexts> texts = encode(prompts, answers, *job.tokenizer);
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    lengths.push_back(texts[i].longest);
    questions[i].answers = std::move(texts[i]);
  }
  return lengths;
}

std::optional<std::vector<LabelScores>> score_answers(const PromptJob& job,
                                                      std::span<const prompt::Continuation> answers,
                                                      std::span<const Question> questions, Asked& asked) {
  std::vector<AnswerScores> scores(questions.size(), AnswerScores(answers.size()));
  const auto score = fills_gaps(job) ? scores_in_gaps : scores_behind;
  const auto of_answers = score(job, std::move(scores), questions, asked);
  if (!of_answers) return std::nullopt;
  const prompt::WordScore word_score = prompt::word_score_of(job.options.prompting.score);
  std::vector<LabelScores> of_labels;
  for (const AnswerScores& one : *of_answers) {
    of_labels.push_back(task::label_scores(answers, one, word_score, job.labels.names.size()));
  }
  return of_labels;
}

}  // namespace attune::study
