// What texts are generated from: the prompts of rows that end with an answer or await one, and how they are cut.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/train/trainer.h"
#include "catch.h"
#include "task/language_fixture.h"

using namespace attune;
using namespace attune::testing::language;

TEST_CASE("rows that end with an answer get the prompt that it is generated from", "[task][language]") {
  Language language;
  language.options.generates = true;
  const task::Encoded row = language.encode_one(completion("where is my card", " it was sent"));
  REQUIRE_FALSE(row.prompt.empty());
  CHECK(row.prompt->ids == language.tokenizer.encode({.text = "where is my card"}, {}).ids);
  CHECK(row.prompt->reference == " it was sent");
  CHECK_FALSE(row.prompt->is_chat);
  CHECK(language.encode_one(document("the card is lost")).prompt.empty());

  const Json turns = {{{"role", "user"}, {"content", "hello"}}, {{"role", "assistant"}, {"content", "Hi"}},
                      {{"role", "user"}, {"content", "where"}}, {{"role", "assistant"}, {"content", "in the app"}}};
  const task::Encoded talked = language.encode_one(chat(turns));
  REQUIRE_FALSE(talked.prompt.empty());
  const std::string before = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>\n<|im_start|>user\nwhere<|im_end|>\n"
                             "<|im_start|>assistant\n";
  CHECK(talked.prompt->ids == language.tokenizer.encode({.text = before}, {.add_special_tokens = false}).ids);
  CHECK(std::equal(talked.prompt->ids.begin(), talked.prompt->ids.end(), talked.ids.begin()));
  CHECK(talked.prompt->reference == "in the app");
  CHECK(talked.prompt->is_chat);
  CHECK(language.encode_one(chat({turns[0], turns[1], turns[2]})).prompt.empty());
  language.options.generates = false;
  CHECK(language.encode_one(chat(turns)).prompt.empty());
}

TEST_CASE("of a prompt that is longer than a row its end is generated from", "[task][language]") {
  Language language;
  language.options.generates = true;
  const data::Example row = completion("where is my card and what can i do with it in the app", " it was sent");
  const std::vector<std::int32_t> whole = language.encode_one(row).prompt->ids;
  language.options.max_length = 8;
  language.options.length_policy = "split";
  const std::vector<task::Encoded> windows = language.encode({row});
  REQUIRE(windows.size() > 1);
  CHECK(windows[0].prompt->ids == std::vector<std::int32_t>(whole.end() - 8, whole.end()));
  CHECK(windows[1].prompt.empty());
}

TEST_CASE("rows that await an answer are prompts and nothing else", "[task][language]") {
  Language language;
  language.options.generates = true;
  data::Example asked = completion("where is my card", ""), open = chat(Json::array({{{"role", "user"}, {"content", "hello"}}}));
  asked.awaits_answer = open.awaits_answer = true;
  const data::Example answered = completion("where is my card", " it was sent"),
                      talked = chat({{{"role", "user"}, {"content", "hello"}}, {{"role", "assistant"}, {"content", "Hi"}}});
  const std::vector<data::Example> rows = {asked, open};
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  REQUIRE(encoded.size() == 2);
  CHECK(encoded[1].example == 1);
  CHECK(encoded[0].prompt->ids == language.encode_one(answered).prompt->ids);
  CHECK(encoded[1].prompt->ids == language.encode_one(talked).prompt->ids);
  CHECK(encoded[1].prompt->is_chat);
  CHECK_FALSE(encoded[0].prompt->reference);
  const models::LoadedModel loaded = tiny_gpt();
  std::vector<task::Prediction> predictions = train::predict(*loaded.model, *task, encoded, 4);
  CHECK(predictions[0].loss_weight == 0);
  predictions[0].generated = " it";
  const Json line = task->describe({predictions.data(), 1}, rows[0], false);
  CHECK(line["generated"] == " it");
  for (const char* absent : {"loss", "tokens", "reference"}) CHECK_FALSE(line.contains(absent));
  language.options.only_prompts = true;
  data::Example called = chat({{{"role", "user"}, {"content", "hello"}}, {{"role", "tool"}, {"content", "x"}}}), ids = document("");
  ids.input_ids = {5, 6, 7};
  const std::vector<task::Encoded> prompts = language.encode({open, talked, answered, document("the app"), called, ids});
  REQUIRE(prompts.size() == 6);
  CHECK(prompts[0].prompt->ids == encoded[1].prompt->ids);
  CHECK(prompts[1].prompt->ids == prompts[0].prompt->ids);
  CHECK(prompts[2].prompt->ids == encoded[0].prompt->ids);
  CHECK(prompts[2].ids == prompts[2].prompt->ids);
  CHECK(prompts[3].prompt->ids == language.tokenizer.encode({.text = "the app"}, {}).ids);
  CHECK(language.tokenizer.decode(prompts[4].prompt->ids, false).ends_with("x<|im_end|>\n<|im_start|>assistant\n"));
  CHECK(prompts[5].prompt->ids == ids.input_ids);
  CHECK_THROWS_WITH(language.encode_one(document("")), ContainsSubstring("the prompt has no tokens") && ContainsSubstring("rows.jsonl:7: "));
}

TEST_CASE("a row's prompt, its text and its score come from one cut", "[task][language]") {
  for (const bool with_bos : {false, true}) {
    Language language;
    language.options.generates = true;
    data::Example row = completion("where is my card and what can i do with it in the app", " it was sent");
    if (with_bos) row.text = language.tokenizer.decode(std::vector<std::int32_t>{*language.tokenizer.special_id("bos_token")}, false) + row.text;
    const task::Encoded whole = language.encode_one(row);
    const auto prompt = static_cast<std::int64_t>(whole.prompt->ids.size()), all = static_cast<std::int64_t>(whole.ids.size());
    data::Example asked = row;
    asked.awaits_answer = true;
    for (const std::int64_t most : {all - 1, prompt + 1, prompt, prompt - 2}) {
      language.options.max_length = most;
      language.options.length_policy = "truncate_left";
      const task::Encoded cut = language.encode_one(row);
      REQUIRE(cut.prompt);
      CHECK(cut.prompt->cut == all - most);
      const std::size_t kept = cut.prompt->ids.size();
      CHECK(std::vector<std::int32_t>(cut.ids.begin(), cut.ids.begin() + static_cast<std::ptrdiff_t>(kept)) == cut.prompt->ids);
      CHECK(cut.learned[kept] == 1);
      CHECK(std::count(cut.learned.begin(), cut.learned.begin() + static_cast<std::ptrdiff_t>(kept), 1) == 0);
    }
    language.options.max_length = prompt - 2;
    language.options.length_policy = "auto";
    const task::Encoded open = language.encode_one(asked);
    CHECK(open.cut == 2);
    CHECK(open.ids == open.prompt->ids);
    CHECK(open.ids.back() == whole.prompt->ids.back());
    CHECK(open.ids.front() == whole.prompt->ids[with_bos ? 0 : 2]);
    language.options.length_policy = "truncate";
    CHECK_THROWS_WITH(language.encode_one(asked), ContainsSubstring("no answer is left") && ContainsSubstring("truncate_left"));
    language.options.max_length = 4;  // the answer's end alone
    language.options.length_policy = "truncate_left";
    CHECK_FALSE(language.encode_one(row).prompt);
  }
}

TEST_CASE("of rows that are only to be answered the prompt alone is cut, whatever answer they have", "[task][language]") {
  const std::string text = "where is my card and what can i do with it in the app", much = " it was sent on monday and the card is lost in the app";
  const Json user = {{"role", "user"}, {"content", text}};
  const std::vector<std::pair<data::Example, data::Example>> rows = {
      {completion(text, ""), completion(text, much)},
      {chat(Json::array({user})), chat({user, {{"role", "assistant"}, {"content", much}}})}};
  for (auto [asked, answered] : rows) {
    asked.awaits_answer = true;
    Language language;
    language.options.generates = language.options.only_prompts = true;
    const std::vector<std::int32_t> whole = language.encode_one(asked).prompt->ids;
    CHECK(language.encode_one(answered).prompt->ids == whole);
    const auto size = static_cast<std::int64_t>(whole.size());
    for (const std::int64_t most : {size, size - 2}) {
      for (const char* policy : {"auto", "truncate_left", "truncate", "split", "drop", "error"}) {
        INFO(policy << ' ' << most);
        language.options.max_length = most;
        language.options.length_policy = policy;
        const bool cuts = most < size;
        if (cuts && policy == std::string("drop")) {
          CHECK(language.encode({answered}).empty());
        } else if (cuts && policy == std::string("error")) {
          CHECK_THROWS_WITH(language.encode_one(answered), ContainsSubstring("rows.jsonl:7: ") && ContainsSubstring("data.max_length is"));
        } else if (cuts && policy == std::string("truncate")) {
          CHECK_THROWS_WITH(language.encode_one(answered), ContainsSubstring("rows.jsonl:7: the prompt has") && ContainsSubstring("no answer is left"));
        } else {
          CHECK(language.encode_one(answered).prompt->ids == std::vector<std::int32_t>(whole.end() - most, whole.end()));
        }
      }
    }
    language.options.max_length = 4;
    language.options.length_policy = "truncate_left";
    CHECK(language.encode_one(answered).prompt->ids == std::vector<std::int32_t>(whole.end() - 4, whole.end()));
  }
}
