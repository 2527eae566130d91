// Causal language modelling: ids, what is learned and the losses against Transformers on a tiny GPT-2, and the policies
// for length. Goldens: scripts/goldens/language.py.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/files/json.h"
#include "attune/metrics/overlap.h"
#include "attune/models/model.h"
#include "attune/task/prompts.h"
#include "attune/task/task.h"
#include "attune/train/trainer.h"
#include "catch.h"
#include "raises.h"
#include "shared.h"
#include "temporary_folder.h"

using namespace attune;
using attune::files::Json;

namespace {

const std::string kFolder = ATTUNE_SOURCE_DIR "/tests/goldens/language/";

/// The tiny GPT-2's tokenizer, chat template and a task over them.
struct Language {
  text::Tokenizer tokenizer = text::Tokenizer::from_folder(kFolder + "tiny_gpt");
  text::ChatTemplates chats = text::ChatTemplates::from_folder(kFolder + "tiny_gpt");
  task::TaskOptions options;

  Language() {
    options.kind = models::Task::causal_lm;
    options.tokenizer = &tokenizer;
    options.chats = &chats;
  }

  std::vector<task::Encoded> encode(const std::vector<data::Example>& examples) const {
    return task::make_task(options)->encode(examples, tokenizer);
  }
  task::Encoded encode_one(const data::Example& example) const { return encode({example}).at(0); }
};

data::Example document(const std::string& text) {
  data::Example example;
  example.origin = {.file = "rows.jsonl", .line = 7};
  example.text = text;
  return example;
}

data::Example completion(const std::string& prompt, const std::string& answer) {
  data::Example example = document(prompt);
  example.text_pair = answer;
  example.has_pair = true;
  return example;
}

data::Example chat(const Json& messages) {
  data::Example example = document("");
  example.messages = messages.dump();
  return example;
}

std::vector<int> learned_of(const task::Encoded& row) { return {row.learned.begin(), row.learned.end()}; }

/// The cases of one kind; a copy, so that a range-for may read it.
Json expected(const char* kind) {
  Json all = files::read_json(kFolder + "expected.json");
  REQUIRE_FALSE(all.at(kind).empty());
  return all.at(kind);
}

models::LoadedModel tiny_gpt() {
  models::LoadOptions options;
  options.task = models::Task::causal_lm;
  return models::load_model(kFolder + "tiny_gpt", options);
}

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
    CHECK_THAT(said, ContainsSubstring("rows.jsonl: turn 4 (assistant) has tool_calls and ") && ContainsSubstring(found) && ContainsSubstring("(line 7)"));
  }
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
    CHECK_THROWS_WITH(language.encode_one(example), ContainsSubstring("line 7"));
  }
}

TEST_CASE("a template whose prefixes do not nest is refused unless it marks what the assistant says", "[task][language]") {
  Language language;
  language.chats.set_default(ATTUNE_SOURCE_DIR "/tests/goldens/language/counting.jinja");
  const Json messages = expected("chats")[1]["messages"];
  CHECK_THROWS_WITH(language.encode_one(chat(messages)), ContainsSubstring("rows.jsonl") && ContainsSubstring("line 7") &&
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
  CHECK_THROWS_WITH(language.encode_one(asked), ContainsSubstring("rows.jsonl") && ContainsSubstring("line 7"));
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
  CHECK_THROWS_WITH(under("error"), ContainsSubstring("rows.jsonl") && ContainsSubstring("line 7"));
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

TEST_CASE("generated texts are scored against the rows' answers, and documents count in the loss alone", "[task][language]") {
  Language language;
  language.options.generates = true;
  const std::vector<data::Example> rows = {completion("where is", " my card"), document("the app"), completion("what", " can i do")};
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  const models::LoadedModel loaded = tiny_gpt();
  std::vector<task::Prediction> predictions = train::predict(*loaded.model, *task, encoded, 4);
  CHECK_FALSE(task->scores(predictions, rows)->metrics().contains("rougeL"));
  CHECK_FALSE(task->describe({&predictions[0], 1}, rows[0], false).contains("generated"));
  predictions[0].generated = " my card";
  predictions[2].generated = " can do";
  const auto scored = task->scores(predictions, rows);
  const Json scores = scored->metrics();
  const metrics::OverlapScorer scorer(std::vector<std::string>{" my card", " can do"},
                                      std::vector<std::vector<std::string>>{{" my card"}, {" can i do"}});
  CHECK(scores["generated"] == 2);
  CHECK(scores["rows"] == 3);
  for (const auto& [name, value] : scorer.values()) {
    CHECK(scores[name].get<double>() == value);
    const std::vector<std::string> names = task->metric_names();
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  const Json intervals = scored->intervals();
  CHECK(intervals["rouge1"][0].get<double>() == Approx(0.8));
  CHECK(intervals["rouge1"][1] == 1);
  CHECK(intervals["loss"][0].get<double>() < scores["loss"].get<double>());
  CHECK(intervals["perplexity"][1].get<double>() > scores["perplexity"].get<double>());
  CHECK_FALSE(intervals.contains("bits_per_byte"));
  const Json line = task->describe({&predictions[2], 1}, rows[2], false);
  CHECK(line["generated"] == " can do");
  CHECK(line["reference"] == " can i do");
}

TEST_CASE("bits per byte of documents have an interval over documents, whose windows count together", "[task][language]") {
  Language language;
  language.options.max_length = 4;
  const std::vector<data::Example> rows = {document("where is my card"), document("the app"), document("what can i do with it")};
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  REQUIRE(encoded.size() > rows.size());
  const models::LoadedModel loaded = tiny_gpt();
  const std::vector<task::Prediction> predictions = train::predict(*loaded.model, *task, encoded, 4);
  const auto scores = task->scores(predictions, rows);
  std::vector<double> of_rows;
  double all = 0, bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double nll = 0;
    for (const task::Prediction& prediction : predictions) {
      if (prediction.encoded->example != static_cast<std::int64_t>(i)) continue;
      for (const float logprob : prediction.logits) nll -= logprob;
    }
    all += nll;
    bytes += static_cast<double>(rows[i].text.size());
    of_rows.push_back(nll / std::log(2.0) / static_cast<double>(rows[i].text.size()));
  }
  CHECK(scores->metrics()["bits_per_byte"].get<double>() == Approx(all / std::log(2.0) / bytes));
  const Json interval = scores->intervals()["bits_per_byte"];
  REQUIRE(interval.is_array());
  const auto [low, high] = std::minmax_element(of_rows.begin(), of_rows.end());
  CHECK(interval[0].get<double>() >= *low - 1e-9);
  CHECK(interval[0].get<double>() < scores->metrics()["bits_per_byte"].get<double>());
  CHECK(interval[1].get<double>() <= *high + 1e-9);
  CHECK(interval[1].get<double>() > scores->metrics()["bits_per_byte"].get<double>());
}

TEST_CASE("of generated texts the best and the worst are shown, with the end of what stood before them", "[task][language]") {
  Language language;
  language.options.generates = true;
  language.options.max_length = 4000;
  std::vector<data::Example> rows;
  std::string long_prompt = "where";
  for (int i = 0; i < 100; ++i) long_prompt += " my card";
  for (int i = 0; i < 12; ++i) {
    rows.push_back(completion(i == 0 ? long_prompt : "where is", " a b c d e f g h i j k l"));
    rows.back().id = "r" + std::to_string(i);
  }
  rows.push_back(document("the app"));
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  std::vector<task::Prediction> predictions;
  std::string words;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    predictions.push_back({});
    predictions[i].encoded = &encoded[i];
    if (i < 12) predictions[i].generated = words += " " + std::string(1, static_cast<char>('a' + i));
  }
  const Json samples = task->scores(predictions, rows)->samples("chrf");
  CHECK(samples["metric"] == "chrf");
  CHECK(samples["texts"] == 12);
  const Json& shown = samples["rows"];
  REQUIRE(shown.size() == 10);
  CHECK(shown[0]["id"] == "r11");
  CHECK(shown[0]["score"] == 100);
  CHECK(shown[4]["id"] == "r7");
  CHECK(shown[5]["id"] == "r4");
  CHECK(shown[9]["id"] == "r0");
  CHECK(shown[9]["generated"] == " a");
  CHECK(shown[9]["reference"] == *rows[0].text_pair);
  const std::string end = shown[9]["prompt"];
  CHECK(end.starts_with("…"));
  CHECK(end.size() == 300 + std::string("…").size());
  CHECK(long_prompt.ends_with(end.substr(std::string("…").size())));
  CHECK(task->scores(predictions, rows)->samples("loss")["metric"] == "rougeL");
  for (task::Prediction& prediction : predictions) prediction.generated.reset();
  CHECK(task->scores(predictions, rows)->samples("chrf").is_null());
}

TEST_CASE("samples show prompts as people read them", "[task][language]") {
  Language language;
  language.options.generates = true;
  const Json calls = Json::array({{{"name", "find"}}});
  const Json turns = {{{"role", "system"}, {"content", "brief"}}, {{"role", "user"}, {"content", "hello"}}, {{"role", "assistant"}, {"content", ""}, {"tool_calls", calls}},
                      {{"role", "user"}, {"content", "where"}}, {{"role", "assistant"}, {"content", "in the app"}}};
  const std::vector<data::Example> rows = {chat(turns), completion("<|endoftext|>where is my card", " here")};
  const auto shown = [&] {
    const auto task = task::make_task(language.options);
    const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
    std::vector<task::Prediction> predictions;
    for (const task::Encoded& row : encoded) {
      predictions.emplace_back();
      predictions.back().encoded = &row;
      predictions.back().loss_weight = 1;
      predictions.back().generated = "here";
    }
    std::vector<std::string> prompts;
    const Json samples = task->scores(predictions, rows)->samples("f1");
    for (const Json& row : samples["rows"]) prompts.push_back(row["prompt"]);
    std::sort(prompts.begin(), prompts.end());
    return prompts;
  };
  CHECK(shown() == std::vector<std::string>{"system: brief\nuser: hello\nassistant: " + calls.dump() + "\nuser: where", "where is my card"});
  language.options.length_policy = "truncate_left";
  language.options.max_length = static_cast<std::int64_t>(language.encode_one(rows[0]).ids.size()) - 4;
  const std::string cut = shown().back();
  INFO(cut);
  CHECK(cut.starts_with("…"));
  CHECK(cut.ends_with("user\nwhere\nassistant"));
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
  CHECK_THROWS_WITH(language.encode_one(document("")), ContainsSubstring("the prompt has no tokens") && ContainsSubstring("line 7"));
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
      language.options.only_prompts = true;  // what `generate` makes of the row
      CHECK(language.encode_one(row).prompt->ids == cut.prompt->ids);
      language.options.length_policy = "drop";
      CHECK(language.encode({row}).empty());
      CHECK(language.encode({asked}).size() == (prompt > most ? 0 : 1));
      language.options.length_policy = "error";
      CHECK_THROWS_WITH(language.encode_one(row), ContainsSubstring("line 7") && ContainsSubstring("data.max_length is"));
      for (const char* policy : {"auto", "truncate"}) {
        language.options.length_policy = policy;
        if (most <= prompt) {
          CHECK_THROWS_WITH(language.encode_one(row), ContainsSubstring("no answer is left") && ContainsSubstring("line 7"));
        } else {
          CHECK(language.encode_one(row).prompt->ids == whole.prompt->ids);
        }
      }
      language.options.only_prompts = false;
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
    language.options.only_prompts = true;
    CHECK_THROWS_WITH(language.encode_one(row), ContainsSubstring("no token of the prompt is left"));
  }
}
