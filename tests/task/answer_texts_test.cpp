// Answers as tokens behind prompts and in gaps.
#include "attune/task/answer_texts.h"

#include <algorithm>

#include "attune/task/prompts.h"
#include "catch.h"
#include "raises.h"
#include "task/language_fixture.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::task;
using namespace attune::testing;

namespace {

std::vector<prompt::Continuation> continuations(const std::vector<std::string>& texts) {
  std::vector<prompt::Continuation> answers;
  for (const std::string& text : texts) answers.push_back({answers.size(), text, text});
  return answers;
}

/// What a causal model reads with the answer, from its text and tokens.
std::vector<std::int32_t> whole_ids(const AnswerTexts& texts, std::int32_t answer) {
  for (const AnswerText& text : texts.texts) {
    const auto found = std::ranges::find(text.answers, answer);
    if (found == text.answers.end()) continue;
    std::vector<std::int32_t> ids(text.ids.begin(), text.ids.begin() + text.places.front() + 1);
    for (const std::int32_t token : text.tokens_of(static_cast<std::size_t>(found - text.answers.begin())))
      ids.push_back(token);
    return ids;
  }
  return {};
}

text::Tokenizer word_pieces(const TemporaryFolder& folder) {
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nit\nwas\n.\ngood\nno\n##ne\nfilm\n");
  folder.write("config.json", R"({"model_type": "bert"})");
  return text::Tokenizer::from_folder(folder.path());
}

}  // namespace

TEST_CASE("answers behind a prompt are what is tokenised with it, and share what they can", "[task]") {
  const language::Language fixture;
  const std::vector<std::string> prompts = {"Is it good?", "Once upon a time"},
                                 words = {" yes", " no", " not at all", " not"};
  const auto answers = continuations(words);
  const std::vector<AnswerTexts> found = answers_behind(prompts, answers, fixture.tokenizer);
  REQUIRE(found.size() == 2);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::size_t longest = 0, asked = 0;
    for (std::size_t answer = 0; answer < words.size(); ++answer) {
      const auto ids = encode_prompts(std::vector{prompts[i] + words[answer]}, fixture.tokenizer).front();
      CHECK(whole_ids(found[i], static_cast<std::int32_t>(answer)) == ids);
      longest = std::max(longest, ids.size());
    }
    CHECK(found[i].longest == static_cast<std::int64_t>(longest));
    for (const AnswerText& text : found[i].texts) {
      asked += text.answers.size();
      CHECK(text.tokens.size() == text.answers.size() * text.places.size());
      CHECK(text.places.front() == found[i].texts.front().places.front());  // all behind the same beginning
      CHECK(static_cast<std::size_t>(text.places.back()) + 1 == text.ids.size());
    }
    CHECK(asked == words.size());
    for (std::size_t a = 0; a < found[i].texts.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) CHECK(found[i].texts[a].ids != found[i].texts[b].ids);
    }
  }
}

TEST_CASE("a gap has as many masks as a word has tokens", "[task]") {
  const TemporaryFolder folder;
  const text::Tokenizer tokenizer = word_pieces(folder);
  const auto found =
      answers_in_gap(std::vector<std::string>{"it was [MASK]."}, continuations({"good", "none", "no"}), tokenizer);
  REQUIRE(found.size() == 1);
  REQUIRE(found.front().texts.size() == 2);
  const AnswerText &one = found.front().texts[0], &two = found.front().texts[1];
  CHECK(one.ids == std::vector<std::int32_t>{2, 5, 6, 4, 7, 3});
  CHECK(one.places == std::vector<std::int32_t>{3});
  CHECK(one.answers == std::vector<std::int32_t>{0, 2});
  CHECK(one.tokens == std::vector<std::int32_t>{8, 9});
  CHECK(two.ids == std::vector<std::int32_t>{2, 5, 6, 4, 4, 7, 3});
  CHECK(two.places == std::vector<std::int32_t>{3, 4});
  CHECK(two.tokens == std::vector<std::int32_t>{9, 10});
  CHECK(found.front().longest == 7);
  const language::Language causal;
  CHECK_RAISES(answers_in_gap(std::vector<std::string>{"a [MASK]"}, continuations({"b"}), causal.tokenizer), model,
               "no mask token");
}
