// See scorers.h.
#include "scorers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/infer/cloze.h"
#include "attune/infer/likelihood.h"
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
  explicit ContinuationScorer(const PromptJob& job) : job_(job), word_score_(prompt::word_score_of(job.options.prompting.score)) {}

  std::vector<std::int64_t> lengths(std::span<const Question> questions) const override {
    std::vector<std::int64_t> lengths;
    const std::vector<infer::TextToScore> texts = texts_of(questions);
    auto text = texts.begin();
    for (const Question& question : questions) {
      lengths.push_back(0);
      for (std::size_t i = 0; i < question.prompt.answers.size(); ++i) {
        lengths.back() = std::max(lengths.back(), static_cast<std::int64_t>((text++)->ids.size()));
      }
    }
    return lengths;
  }

  std::optional<std::vector<LabelScores>> score(std::span<const Question> questions, Asked& asked) const override {
    const std::vector<infer::TextToScore> texts = texts_of(questions);
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
  /// Prompt and answer are tokenised together; what is scored begins where the answers of a prompt, or the prompt alone, first
  /// differ in their tokens, so that all are scored behind the same beginning.
  std::vector<infer::TextToScore> texts_of(std::span<const Question> questions) const {
    std::vector<std::string> texts;
    for (const Question& question : questions) {
      texts.push_back(question.text);
      for (const prompt::Continuation& answer : question.prompt.answers) texts.push_back(question.text + answer.text);
    }
    std::vector<std::vector<std::int32_t>> ids = task::encode_prompts(texts, *job_.tokenizer);
    std::vector<infer::TextToScore> result;
    std::size_t next = 0;
    for (const Question& question : questions) {
      const std::vector<std::int32_t>& alone = ids[next++];
      const std::size_t first = result.size();
      std::ptrdiff_t from = static_cast<std::ptrdiff_t>(alone.size());
      for (std::size_t i = 0; i < question.prompt.answers.size(); ++i) {
        from = std::min(from, std::ranges::mismatch(alone, ids[next]).in1 - alone.begin());
        result.push_back({.ids = std::move(ids[next++])});
      }
      for (std::size_t i = first; i < result.size(); ++i) result[i].from = std::max<std::ptrdiff_t>(1, from);
    }
    return result;
  }

  const PromptJob& job_;
  prompt::WordScore word_score_;
};

/// Words in the gap of a text, by a masked language model.
class GapScorer : public Scorer {
 public:
  explicit GapScorer(const PromptJob& job)
      : job_(job), word_score_(prompt::word_score_of(job.options.prompting.score)), mask_(mask_of(*job.tokenizer)), mask_text_(*job.tokenizer->id_to_token(mask_)) {}

  std::vector<std::int64_t> lengths(std::span<const Question> questions) const override {
    std::vector<std::int64_t> lengths;
    for (const Question& question : questions) {
      lengths.push_back(0);
      for (const auto& [masks, text] : texts_of(question)) lengths.back() = std::max(lengths.back(), static_cast<std::int64_t>(text.ids.size()));
    }
    return lengths;
  }

  std::optional<std::vector<LabelScores>> score(std::span<const Question> questions, Asked& asked) const override {
    std::vector<infer::ClozeText> texts;
    std::vector<std::vector<Place>> places;
    for (const Question& question : questions) {
      std::map<std::size_t, std::size_t> by_masks;  // → index into texts
      for (auto& [masks, text] : texts_of(question)) {
        by_masks[masks] = texts.size();
        texts.push_back(std::move(text));
      }
      places.emplace_back();
      std::map<std::size_t, std::size_t> used;
      for (const std::size_t tokens : word_lengths(question)) places.back().push_back({by_masks[tokens], used[tokens]++});
    }
    bool stopped = false;
    const auto scores_of_words = infer::cloze_likelihoods(*job_.loaded.model, texts, [&](std::size_t) { return stopped = stop_signal() != 0; });
    if (stopped) return std::nullopt;
    for (const infer::ClozeText& text : texts) {
      asked.tokens += static_cast<std::int64_t>(text.ids.size() * text.words.size());
      asked.computed_tokens += static_cast<std::int64_t>(text.ids.size());
    }
    std::vector<LabelScores> scores;
    for (std::size_t q = 0; q < questions.size(); ++q) {
      WordTotals totals(job_.labels.names.size());
      for (std::size_t i = 0; i < places[q].size(); ++i) {
        totals.add(questions[q].prompt.answers[i], scores_of_words[places[q][i].text][places[q][i].word], word_score_);
      }
      scores.push_back(totals.scores());
    }
    return scores;
  }

 private:
  struct Place {
    std::size_t text, word;
  };

  static std::int32_t mask_of(const text::Tokenizer& tokenizer) {
    if (const auto mask = tokenizer.special_id("mask_token")) return *mask;
    throw Error(ErrorKind::model, {.file = "", .what = "the tokenizer has no mask token", .where = "", .hint = "take the tokenizer of a masked language model"});
  }

  /// The tokens of an answer as it stands in the gap.
  std::vector<std::int32_t> tokens_in_gap(const Question& question, const prompt::Continuation& answer) const {
    const std::size_t gap = question.text.find(mask_text_);
    std::string filled = question.text;
    filled.replace(gap, mask_text_.size(), answer.text);
    const std::size_t begin = count_code_points(std::string_view(question.text).substr(0, gap)), end = begin + count_code_points(answer.text);
    const text::Encoding encoding = job_.tokenizer->encode({.text = filled}, {.with_tokens = false});
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      const auto [from, to] = encoding.offsets[i];
      if (from < to && from < end && to > begin) ids.push_back(encoding.ids[i]);
    }
    if (!ids.empty()) return ids;
    throw Error(ErrorKind::data, {.file = "", .what = concat("the label word '", answer.word, "' has no tokens"), .where = "label_words", .hint = "choose another word"});
  }

  std::vector<std::size_t> word_lengths(const Question& question) const {
    std::vector<std::size_t> lengths;
    for (const prompt::Continuation& answer : question.prompt.answers) lengths.push_back(tokens_in_gap(question, answer).size());
    return lengths;
  }

  /// One text for each number of tokens that words have, with as many masks.
  std::map<std::size_t, infer::ClozeText> texts_of(const Question& question) const {
    std::map<std::size_t, infer::ClozeText> texts;
    for (const prompt::Continuation& answer : question.prompt.answers) {
      std::vector<std::int32_t> word = tokens_in_gap(question, answer);
      infer::ClozeText& text = texts[word.size()];
      if (text.ids.empty()) {
        std::string masked = question.text;
        const std::size_t gap = masked.find(mask_text_) + mask_text_.size();
        for (std::size_t i = 1; i < word.size(); ++i) masked.insert(gap, mask_text_);
        text.ids = job_.tokenizer->encode({.text = masked}, {.with_tokens = false}).ids;
        for (std::size_t i = 0; i < text.ids.size(); ++i) {
          if (text.ids[i] == mask_) text.masks.push_back(static_cast<std::int64_t>(i));
        }
      }
      text.words.push_back(std::move(word));
    }
    return texts;
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
