// See scorers.h.
#include "scorers.h"

#include <algorithm>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/prompt/label_scores.h"
#include "attune/task/prompts.h"

namespace attune::study {

namespace {

/// Of the scores of words those of their labels.
class WordTotals {
 public:
  explicit WordTotals(std::size_t labels) : words_(labels) {}
  void add(const prompt::Continuation& answer, std::span<const double> log_probabilities, prompt::WordScore score) {
    words_[answer.label].push_back(prompt::score_word(log_probabilities, count_code_points(answer.text), score));
  }
  LabelScores scores() const {
    LabelScores scores;
    for (const auto& words : words_) scores.push_back(prompt::score_label(words));
    return scores;
  }

 private:
  std::vector<std::vector<double>> words_;
};

/// Answers behind the prompt, by a causal language model.
class ContinuationScorer : public Scorer {
 public:
  explicit ContinuationScorer(const PromptJob& job)
      : job_(job), word_score_(prompt::word_score_of(job.options.prompting.score)) {}

  /// Prompt and answer are tokenised together; what is scored begins where the answers of a prompt, or the prompt
  /// alone, first differ in their tokens, so that all are scored behind the same beginning.
  std::vector<std::int64_t> encode(std::span<Question> questions) const override {
    std::vector<std::string> texts;
    for (const Question& question : questions) {
      texts.push_back(question.text);
      for (const prompt::Continuation& answer : question.prompt.answers) texts.push_back(question.text + answer.text);
    }
    std::vector<std::vector<std::int32_t>> ids = task::encode_prompts(texts, *job_.tokenizer);
    std::vector<std::int64_t> lengths;
    std::size_t next = 0;
    for (Question& question : questions) {
      const std::vector<std::int32_t>& alone = ids[next++];
      auto from = static_cast<std::ptrdiff_t>(alone.size());
      std::size_t longest = 0;
      question.continuations.clear();
      for (std::size_t i = 0; i < question.prompt.answers.size(); ++i, ++next) {
        from = std::min(from, std::ranges::mismatch(alone, ids[next]).in1 - alone.begin());
        longest = std::max(longest, ids[next].size());
        question.continuations.push_back({.ids = std::move(ids[next])});
      }
      for (infer::TextToScore& text : question.continuations) text.from = std::max<std::ptrdiff_t>(1, from);
      lengths.push_back(static_cast<std::int64_t>(longest));
    }
    return lengths;
  }

  std::optional<std::vector<LabelScores>> score(std::span<const Question> questions, Asked& asked) const override {
    std::vector<infer::TextToScore> texts;
    for (const Question& question : questions)
      texts.insert(texts.end(), question.continuations.begin(), question.continuations.end());
    bool stopped = false;
    const auto stops = [&](std::size_t) { return stopped = stop_signal() != 0; };
    const infer::Likelihoods found = infer::likelihoods(*job_.loaded.model, texts, {.stops = stops});
    if (stopped) return std::nullopt;
    asked.tokens += found.tokens;
    asked.computed_tokens += found.computed_tokens;
    std::vector<LabelScores> scores;
    auto log_p = found.log_probabilities.begin();
    for (const Question& question : questions) {
      WordTotals totals(job_.labels.names.size());
      for (const prompt::Continuation& answer : question.prompt.answers) totals.add(answer, *log_p++, word_score_);
      scores.push_back(totals.scores());
    }
    return scores;
  }

 private:
  const PromptJob& job_;
  prompt::WordScore word_score_;
};

/// Words in the gap of a text, by a masked language model.
class GapScorer : public Scorer {
 public:
  explicit GapScorer(const PromptJob& job)
      : job_(job),
        word_score_(prompt::word_score_of(job.options.prompting.score)),
        mask_(mask_of(*job.tokenizer)),
        mask_text_(*job.tokenizer->id_to_token(mask_)) {}

  /// As many masks as a word has tokens, each number of them a text.
  std::vector<std::int64_t> encode(std::span<Question> questions) const override {
    std::vector<std::int64_t> lengths;
    for (Question& question : questions) {
      question.gaps.clear();
      std::size_t longest = 0;
      for (const prompt::Continuation& answer : question.prompt.answers) {
        std::vector<std::int32_t> word = tokens_in_gap(question, answer);
        infer::ClozeText& text = text_with(word.size(), question);
        longest = std::max(longest, text.ids.size());
        text.words.push_back(std::move(word));
      }
      lengths.push_back(static_cast<std::int64_t>(longest));
    }
    return lengths;
  }

  std::optional<std::vector<LabelScores>> score(std::span<const Question> questions, Asked& asked) const override {
    std::vector<infer::ClozeText> texts;
    for (const Question& question : questions) texts.insert(texts.end(), question.gaps.begin(), question.gaps.end());
    bool stopped = false;
    const auto scores_of_words =
        infer::cloze_likelihoods(*job_.loaded.model, texts, [&](std::size_t) { return stopped = stop_signal() != 0; });
    if (stopped) return std::nullopt;
    for (const infer::ClozeText& text : texts) {
      asked.tokens += static_cast<std::int64_t>(text.ids.size() * text.words.size());
      asked.computed_tokens += static_cast<std::int64_t>(text.ids.size());
    }
    std::vector<LabelScores> scores;
    auto of_gap = scores_of_words.begin();
    for (const Question& question : questions) {
      WordTotals totals(job_.labels.names.size());
      std::vector<std::size_t> used(question.gaps.size());
      for (const prompt::Continuation& answer : question.prompt.answers) {
        const std::size_t gap = gap_with(tokens_in_gap(question, answer).size(), question);
        totals.add(answer, of_gap[static_cast<std::ptrdiff_t>(gap)][used[gap]++], word_score_);
      }
      of_gap += static_cast<std::ptrdiff_t>(question.gaps.size());
      scores.push_back(totals.scores());
    }
    return scores;
  }

 private:
  static std::int32_t mask_of(const text::Tokenizer& tokenizer) {
    if (const auto mask = tokenizer.special_id("mask_token")) return *mask;
    throw Error(ErrorKind::model, {.file = "",
                                   .what = "the tokenizer has no mask token",
                                   .where = "",
                                   .hint = "take the tokenizer of a masked language model"});
  }

  /// The tokens of an answer as it stands in the gap.
  std::vector<std::int32_t> tokens_in_gap(const Question& question, const prompt::Continuation& answer) const {
    const std::size_t gap = question.text.find(mask_text_);
    std::string filled = question.text;
    filled.replace(gap, mask_text_.size(), answer.text);
    const std::size_t begin = count_code_points(std::string_view(question.text).substr(0, gap)),
                      end = begin + count_code_points(answer.text);
    const text::Encoding encoding = job_.tokenizer->encode({.text = filled}, {.with_tokens = false});
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      const auto [from, to] = encoding.offsets[i];
      if (from < to && from < end && to > begin) ids.push_back(encoding.ids[i]);
    }
    if (!ids.empty()) return ids;
    throw Error(ErrorKind::data, {.file = "",
                                  .what = concat("the label word '", answer.word, "' has no tokens"),
                                  .where = "label_words",
                                  .hint = "choose another word"});
  }

  /// Which of the question's texts has so many masks; as many as there are texts = none.
  static std::size_t gap_with(std::size_t masks, const Question& question) {
    return std::ranges::find(question.gaps, masks, [](const infer::ClozeText& text) { return text.masks.size(); }) -
           question.gaps.begin();
  }

  infer::ClozeText& text_with(std::size_t masks, Question& question) const {
    const std::size_t known = gap_with(masks, question);
    if (known < question.gaps.size()) return question.gaps[known];
    std::string masked = question.text;
    const std::size_t gap = masked.find(mask_text_) + mask_text_.size();
    for (std::size_t i = 1; i < masks; ++i) masked.insert(gap, mask_text_);
    infer::ClozeText& text = question.gaps.emplace_back();
    text.ids = job_.tokenizer->encode({.text = masked}, {.with_tokens = false}).ids;
    for (std::size_t i = 0; i < text.ids.size(); ++i) {
      if (text.ids[i] == mask_) text.masks.push_back(static_cast<std::int64_t>(i));
    }
    return text;
  }

  const PromptJob& job_;
  prompt::WordScore word_score_;
  std::int32_t mask_;
  std::string mask_text_;
};

}  // namespace

std::unique_ptr<Scorer> make_scorer(const PromptJob& job) {
  if (job.loaded.model->spec().task == models::Task::masked_lm) return std::make_unique<GapScorer>(job);
  return std::make_unique<ContinuationScorer>(job);
}

}  // namespace attune::study
