// Causal language modelling: ids, what is learned and the losses against Transformers on a tiny GPT-2, and the policies
// for length.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/train/trainer.h"
#include "catch.h"
#include "raises.h"
#include "shared.h"
#include "temporary_folder.h"
#include "task/language_fixture.h"

using namespace attune;
using namespace attune::testing::language;

namespace {

/// Ids, what is learned from `first` on, log probabilities and the mean loss.
void check_scored(const Json& want, const data::Example& example, std::size_t first) {
  Language language;
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> rows = task->encode({&example, 1}, language.tokenizer);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].ids == want["ids"].get<std::vector<std::int32_t>>());
  for (std::size_t i = 0; i < rows[0].ids.size(); ++i) CHECK(rows[0].learned[i] == (i >= first ? 1 : 0));
  const models::LoadedModel loaded = tiny_gpt();
  const auto predictions = train::predict(*loaded.model, *task, rows, 4);
  REQUIRE(predictions[0].logits.size() == want["logprobs"].size());
  for (std::size_t i = 0; i < predictions[0].logits.size(); ++i) {
    CHECK(predictions[0].logits[i] == Approx(want["logprobs"][i].get<double>()).margin(2e-5));
  }
  CHECK(predictions[0].loss_sum / predictions[0].loss_weight == Approx(want["loss"].get<double>()).margin(1e-5));
  const Json scores = task->scores(predictions, {&example, 1})->metrics();
  CHECK(scores["perplexity"].get<double>() == Approx(std::exp(want["loss"].get<double>())).epsilon(1e-4));
}

}  // namespace

TEST_CASE("documents are learned from the second token to the end-of-text token, as the reference scores them", "[task][language]") {
  for (const Json& want : expected("documents")) check_scored(want, document(want["text"].get<std::string>()), 1);
}

TEST_CASE("of a prompt with a completion the completion is learned", "[task][language]") {
  for (const Json& want : expected("completions")) {
    const auto first = std::max<std::size_t>(1, want["first"].get<std::size_t>());
    check_scored(want, completion(want["prompt"].get<std::string>(), want["completion"].get<std::string>()), first);
  }
}

TEST_CASE("a prompt that ends inside a token is marked", "[task][language]") {
  const Language language;
  CHECK(language.encode_one(completion("where is my ", "card")).joined);
  CHECK_FALSE(language.encode_one(completion("where is my", " card")).joined);
  CHECK_FALSE(language.encode_one(completion("where is my\n", "card")).joined);
  CHECK_FALSE(language.encode_one(document("where is my card")).joined);
}

TEST_CASE("of a chat the assistant's tokens are learned, as the reference masks them", "[task][language]") {
  const Language language;
  for (const Json& want : expected("chats")) {
    const task::Encoded row = language.encode_one(chat(want["messages"]));
    CHECK(row.ids == want["ids"].get<std::vector<std::int32_t>>());
    CHECK(learned_of(row) == want["mask"].get<std::vector<int>>());
  }
}

TEST_CASE("without generation spans the same tokens are found by prefixes, with the end of the answer", "[task][language]") {
  Language language;
  const std::string plain = ATTUNE_SOURCE_DIR "/tests/goldens/language/plain_chatml.jinja";
  language.chats.set_default(plain);
  for (const Json& want : expected("chats")) {
    const task::Encoded row = language.encode_one(chat(want["messages"]));
    CHECK(row.ids == want["ids"].get<std::vector<std::int32_t>>());
    std::vector<int> mask = want["mask"].get<std::vector<int>>();
    for (std::size_t i = mask.size(); i-- > 1;) mask[i] = mask[i] != 0 || mask[i - 1] != 0;  // the line end behind <|im_end|>
    CHECK(learned_of(row) == mask);
  }
}

TEST_CASE("tool calls reach the template, and a turn that it cannot write without content is named", "[task][language]") {
  Language language;
  const testing::TemporaryFolder folder;
  language.chats.set_default(folder.write(
      "calls.jinja", "{%- for m in messages %}{{- m.role + ': ' }}{% generation %}{% if m.tool_calls %}{% for c in m.tool_calls %}"
                     "{{- c.name }}({{ c.arguments | tojson }}){% endfor %}{% else %}{{ m.content }}{% endif %}{% endgeneration %}{% endfor %}"));
  const Json asked = {{"role", "user"}, {"content", "hello"}}, answered = {{"role", "assistant"}, {"content", "Hi"}};
  const Json calls = Json::array({{{"name", "find"}, {"arguments", {{"what", "card"}}}}});
  const Json with_null = {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", calls}}, without = {{"role", "assistant"}, {"tool_calls", calls}};
  for (const Json& call : {with_null, without}) {
    const std::vector<std::int32_t> ids = language.encode_one(chat({asked, call, asked, answered})).ids;
    CHECK_THAT(language.tokenizer.decode(ids), ContainsSubstring("assistant: find({\"what\": \"card\"})user: hello"));
  }
  Language fresh;
  fresh.chats.set_default("chatml");
  for (const auto& [call, found] : {std::pair(with_null, "null as content"), std::pair(without, "no content")}) {
    const std::string said = testing::error_of([&] { fresh.encode_one(chat({asked, answered, asked, call, asked, answered})); }, ErrorKind::data);
    CHECK_THAT(said, ContainsSubstring("rows.jsonl:7: turn 4 (assistant) has tool_calls and ") && ContainsSubstring(found));
  }
  Language picky;
  picky.chats.set_default(folder.write("picky.jinja", "{%- for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
                                                      "{% generation %}{{ m.content + '\n' }}{% endgeneration %}{% endfor %}"));
  const Json result = {{"role", "tool"}, {"content", "in the app"}};
  const std::string first = testing::error_of([&] { picky.encode_one(chat({asked, with_null, result, answered})); }, ErrorKind::data);
  CHECK_THAT(first, ContainsSubstring("turn 2 (assistant) has tool_calls and null as content"));
  const std::string role = testing::error_of([&] { picky.encode_one(chat({asked, result, with_null, answered})); }, ErrorKind::data);
  CHECK_THAT(role, ContainsSubstring("no tools here") && !ContainsSubstring("tool_calls"));
  const std::string other = testing::error_of([&] { fresh.encode_one(chat({asked, {{"role", "assistant"}, {"content", 3}}})); }, ErrorKind::model);
  CHECK_THAT(other, !ContainsSubstring("tool_calls"));
}

TEST_CASE("of a chat that completes a prompt only the completion is learned, with and without generation spans", "[task][language]") {
  for (const std::string& own : {std::string(), kFolder + "plain_chatml.jinja"}) {
    INFO(own);
    Language language;
    if (!own.empty()) language.chats.set_default(own);
    const Json messages = expected("chats")[1]["messages"];
    REQUIRE(messages.size() == 5);
    const task::Encoded whole = language.encode_one(chat(messages));
    data::Example example = chat(messages);
    example.prompt_messages = 4;
    const task::Encoded row = language.encode_one(example);
    CHECK(row.ids == whole.ids);
    std::vector<int> wanted = learned_of(whole);
    auto first = std::find(wanted.begin(), wanted.end(), 1);
    for (; *first == 1; ++first) *first = 0;  // the answer in the prompt
    CHECK(std::count(wanted.begin(), wanted.end(), 1) > 0);
    CHECK(learned_of(row) == wanted);
    example.prompt_messages = 3;  // it ends with that answer
    CHECK(learned_of(language.encode_one(example)) == wanted);
    example.prompt_messages = 5;
    CHECK_THROWS_WITH(language.encode_one(example), ContainsSubstring("rows.jsonl:7: "));
  }
}

TEST_CASE("a template whose prefixes do not nest is refused unless it marks what the assistant says", "[task][language]") {
  Language language;
  language.chats.set_default(ATTUNE_SOURCE_DIR "/tests/goldens/language/counting.jinja");
  const Json messages = expected("chats")[1]["messages"];
  CHECK_THROWS_WITH(language.encode_one(chat(messages)), ContainsSubstring("rows.jsonl:7: ") &&
                                                             ContainsSubstring("generation"));
}

TEST_CASE("an answer ends with a learned token although padding and end of text are one token", "[task][language]") {
  Language language;
  CHECK(language.tokenizer.special_id("pad_token") == language.tokenizer.special_id("eos_token"));
  for (const data::Example& example : {document("the card"), completion("where is", " it")}) {
    const task::Encoded row = language.encode_one(example);
    CHECK(row.ids.back() == *language.tokenizer.special_id("eos_token"));
    CHECK(row.learned.back() == 1);
  }
  language.options.append_eos = false;
  CHECK(language.encode_one(document("the card")).ids.back() != *language.tokenizer.special_id("eos_token"));
  language.chats.set_default("alpaca");
  const task::Encoded row = language.encode_one(chat({{{"role", "user"}, {"content", "hello"}}, {{"role", "assistant"}, {"content", "Hi"}}}));
  CHECK(row.ids.back() == *language.tokenizer.special_id("eos_token"));
  CHECK(row.learned.back() == 1);
}

TEST_CASE("a row of which nothing is learned is an error with its line", "[task][language]") {
  Language language;
  const data::Example asked = chat({{{"role", "user"}, {"content", "hello"}}});
  CHECK_THROWS_WITH(language.encode_one(asked), ContainsSubstring("rows.jsonl:7: "));
  language.options.max_length = 8;
  const data::Example late = completion("where is my card and what can i do with it in the app", " nothing");
  CHECK_THROWS_WITH(language.encode_one(late), ContainsSubstring("data.max_length"));
}

TEST_CASE("windows of a long document share one token and learn each token once", "[task][language]") {
  Language language;
  const std::string text = "the card is lost where my account was sent on monday app block it in help what can do line end";
  const std::vector<std::int32_t> whole = language.encode_one(document(text)).ids;
  language.options.max_length = 7;
  const std::vector<task::Encoded> rows = language.encode({document(text)});
  REQUIRE(rows.size() == (whole.size() - 1 + 5) / 6);
  std::vector<std::int32_t> learned = {whole.front()};
  for (std::size_t w = 0; w < rows.size(); ++w) {
    CHECK(rows[w].window == static_cast<std::int64_t>(w));
    CHECK(rows[w].ids.size() <= 7);
    CHECK(rows[w].learned.front() == 0);
    CHECK(rows[w].ids.front() == learned.back());
    for (std::size_t i = 1; i < rows[w].ids.size(); ++i) {
      REQUIRE(rows[w].learned[i] == 1);
      learned.push_back(rows[w].ids[i]);
    }
  }
  CHECK(learned == whole);
}

TEST_CASE("the length policy cuts, drops or refuses rows that are too long", "[task][language]") {
  Language language;
  const data::Example row = completion("where is my card", " it was sent on monday");
  const std::vector<std::int32_t> whole = language.encode_one(row).ids;
  language.options.max_length = static_cast<std::int64_t>(whole.size()) - 2;
  const auto under = [&](const char* policy) {
    language.options.length_policy = policy;
    return language.encode({row});
  };
  const std::vector<task::Encoded> cut = under("truncate");
  CHECK(cut.at(0).ids == std::vector<std::int32_t>(whole.begin(), whole.end() - 2));
  CHECK(cut.at(0).cut == 2);
  CHECK(under("auto").at(0).ids == cut[0].ids);
  CHECK(under("truncate_left").at(0).ids == std::vector<std::int32_t>(whole.begin() + 2, whole.end()));
  CHECK(under("drop").empty());
  CHECK_THROWS_WITH(under("error"), ContainsSubstring("rows.jsonl:7: "));
}

TEST_CASE("a row has one beginning-of-text token, whether its template writes it or not", "[task][language]") {
  ATTUNE_NEEDS_SHARED(shared);
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(shared + "/models/stories260K/hf");
  const std::int32_t bos = *tokenizer.special_id("bos_token"), eos = *tokenizer.special_id("eos_token");
  const testing::TemporaryFolder folder;
  const std::string turns = "{%- for m in messages %}{{- m.role + ': ' + m.content + '\\n' }}{%- endfor %}{%- if add_generation_prompt %}assistant: {% endif %}";
  for (const std::string begin : {"", "{{- bos_token }}"}) {
    INFO(begin);
    text::ChatTemplates chats = text::ChatTemplates::from_folder(shared + "/models/stories260K/hf");
    chats.set_default(folder.write("template.jinja", begin + turns));
    task::TaskOptions options;
    options.kind = models::Task::causal_lm;
    options.tokenizer = &tokenizer;
    options.chats = &chats;
    const auto task = task::make_task(options);
    const data::Example rows[] = {chat({{{"role", "user"}, {"content", "one day"}}, {{"role", "assistant"}, {"content", "a boy"}}}),
                                  document("one day"), document("<s>one day"), completion("one day", " a boy")};
    for (const task::Encoded& row : task->encode(rows, tokenizer)) {
      CHECK(row.ids.front() == bos);
      CHECK(std::count(row.ids.begin(), row.ids.end(), bos) == 1);
      CHECK(row.learned.front() == 0);
      CHECK(row.ids.back() == eos);
      CHECK(row.learned.back() == 1);
    }
  }
}
