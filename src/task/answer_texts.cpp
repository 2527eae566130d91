// See answer_texts.h.
#include "attune/task/answer_texts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/task/prompts.h"

namespace attune::task {

namespace {

using TokenIds = std::vector<std::int32_t>;

void add_answer(std::size_t answer, std::span<const std::int32_t> tokens, AnswerText& text) {
  text.answers.push_back(static_cast<std::int32_t>(answer));
  text.tokens.insert(text.tokens.end(), tokens.begin(), tokens.end());
}

/// Where the answers begin: `alone` are a prompt's ids, `whole` those with each answer.
std::size_t first_answered(const TokenIds& alone, std::span<const TokenIds> whole) {
  std::size_t first = alone.size();
  for (const TokenIds& ids : whole) {
    if (ids.size() < 2) {
      throw Error(ErrorKind::usage, {.file = "",
                                     .what = "a prompt has no tokens: an answer is likely only behind something",
                                     .where = "",
                                     .hint = "write more into the texts of the prompt set"});
    }
    const auto common = static_cast<std::size_t>(std::ranges::mismatch(alone, ids).in1 - alone.begin());
    first = std::min({first, common, ids.size() - 1});
  }
  return std::max<std::size_t>(1, first);
}

AnswerTexts texts_behind(const TokenIds& alone, std::span<const TokenIds> whole) {
  const std::size_t from = first_answered(alone, whole);
  AnswerTexts found;
  for (std::size_t answer = 0; answer < whole.size(); ++answer) {
    const std::span<const std::int32_t> ids = whole[answer], before_last = ids.first(ids.size() - 1);
    found.longest = std::max(found.longest, static_cast<std::int64_t>(ids.size()));
    const auto asks_behind = [&](const AnswerText& text) {
      return std::ranges::equal(std::span(text.ids).subspan(from), before_last.subspan(from));
    };
    auto text = std::ranges::find_if(found.texts, asks_behind);
    if (text == found.texts.end()) {
      text = found.texts.insert(
          text, {.ids = {before_last.begin(), before_last.end()}, .places = {}, .answers = {}, .tokens = {}});
      for (std::size_t i = from; i < ids.size(); ++i) text->places.push_back(static_cast<std::int32_t>(i) - 1);
    }
    add_answer(answer, ids.subspan(from), *text);
  }
  return found;
}

/// One prompt's gap.
class Gap {
 public:
  Gap(const std::string& prompt, const text::Tokenizer& tokenizer, std::int32_t mask)
      : prompt_(prompt), tokenizer_(tokenizer), mask_(mask), mask_text_(*tokenizer.id_to_token(mask)) {}

  AnswerTexts texts(std::span<const prompt::Continuation> answers) const {
    AnswerTexts found;
    std::vector<std::size_t> sizes;  // of the texts: how many masks each has
    for (std::size_t answer = 0; answer < answers.size(); ++answer) {
      const TokenIds tokens = tokens_of(answers[answer]);
      const auto known = std::ranges::find(sizes, tokens.size());
      const auto number = static_cast<std::size_t>(known - sizes.begin());
      if (known == sizes.end()) {
        sizes.push_back(tokens.size());
        found.texts.push_back(masked(tokens.size()));
        found.longest = std::max(found.longest, static_cast<std::int64_t>(found.texts.back().ids.size()));
      }
      add_answer(answer, tokens, found.texts[number]);
    }
    return found;
  }

 private:
  std::size_t place() const { return prompt_.find(mask_text_); }

  /// The tokens of an answer as it stands in the gap.
  TokenIds tokens_of(const prompt::Continuation& answer) const {
    std::string filled = prompt_;
    filled.replace(place(), mask_text_.size(), answer.text);
    const std::size_t begin = count_code_points(std::string_view(prompt_).substr(0, place())),
                      end = begin + count_code_points(answer.text);
    const text::Encoding encoding = tokenizer_.encode({.text = filled}, {.with_tokens = false});
    TokenIds ids;
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

  /// With so many masks in the gap.
  AnswerText masked(std::size_t masks) const {
    std::string text = prompt_;
    for (std::size_t i = 1; i < masks; ++i) text.insert(place() + mask_text_.size(), mask_text_);
    AnswerText found;
    found.ids = tokenizer_.encode({.text = text}, {.with_tokens = false}).ids;
    for (std::size_t i = 0; i < found.ids.size(); ++i) {
      if (found.ids[i] == mask_) found.places.push_back(static_cast<std::int32_t>(i));
    }
    return found;
  }

  const std::string& prompt_;
  const text::Tokenizer& tokenizer_;
  std::int32_t mask_;
  std::string mask_text_;
};

}  // namespace

std::vector<AnswerTexts> answers_behind(std::span<const std::string> prompts,
                                        std::span<const prompt::Continuation> answers,
                                        const text::Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (const std::string& prompt : prompts) {
    texts.push_back(prompt);
    for (const prompt::Continuation& answer : answers) texts.push_back(prompt + answer.text);
  }
  const std::vector<TokenIds> ids = encode_prompts(texts, tokenizer);
  std::vector<AnswerTexts> found;
  for (std::size_t begin = 0; begin < ids.size(); begin += answers.size() + 1) {
    found.push_back(texts_behind(ids[begin], std::span(ids).subspan(begin + 1, answers.size())));
  }
  return found;
}

std::vector<AnswerTexts> answers_in_gap(std::span<const std::string> prompts,
                                        std::span<const prompt::Continuation> answers,
                                        const text::Tokenizer& tokenizer) {
  const auto mask = tokenizer.special_id("mask_token");
  if (!mask) {
    throw Error(ErrorKind::model, {.file = "",
                                   .what = "the tokenizer has no mask token",
                                   .where = "",
                                   .hint = "take the tokenizer of a masked language model"});
  }
  std::vector<AnswerTexts> found;
  for (const std::string& prompt : prompts) found.push_back(Gap(prompt, tokenizer, *mask).texts(answers));
  return found;
}

std::vector<double> label_scores(std::span<const prompt::Continuation> answers,
                                 std::span<const std::vector<double>> log_probabilities, prompt::WordScore score,
                                 std::size_t labels) {
  std::vector<std::vector<double>> words(labels);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    words[answers[i].label].push_back(
        prompt::score_word(log_probabilities[i], count_code_points(answers[i].text), score));
  }
  std::vector<double> scores;
  for (const auto& of_label : words) scores.push_back(prompt::score_label(of_label));
  return scores;
}

}  // namespace attune::task
