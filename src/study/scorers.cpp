// See scorers.h.
#include "scorers.h"

#include <utility>

#include "attune/base/signals.h"
#include "attune/infer/answers.h"

namespace attune::study {

namespace {

bool fills_gaps(const PromptJob& job) {
  return job.loaded.model->spec().task == models::Task::masked_lm;
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
  std::vector<const task::AnswerTexts*> prompts;
  for (const Question& question : questions) prompts.push_back(&question.answers);
  const auto stops = [](std::size_t) { return stop_signal() != 0; };
  const auto scored = infer::score_answers(*job.loaded.model, prompts, {.answers = answers.size(), .stops = stops});
  if (!scored) return std::nullopt;
  asked.tokens += scored->tokens;
  asked.computed_tokens += scored->computed_tokens;
  const prompt::WordScore word_score = prompt::word_score_of(job.options.prompting.score);
  std::vector<LabelScores> of_labels;
  for (const task::AnswerScores& one : scored->scores) {
    of_labels.push_back(task::label_scores(answers, one, word_score, job.labels.names.size()));
  }
  return of_labels;
}

}  // namespace attune::study
