// Rows as prompts: texts, chats and gaps, what is missing, and how many examples fit.
#include "attune/prompt/writer.h"

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/data/read.h"
#include "catch.h"
#include "raises.h"
#include "support.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::prompt;
using Json = nlohmann::ordered_json;

namespace {

const std::vector<data::Example>& shots() {
  static const std::vector<data::Example> made = {labelled(0, "my card is gone", "card_lost"),
                                                  labelled(1, "money back", "refund")};
  return made;
}

std::vector<std::string> texts_of(const std::vector<Continuation>& answers) {
  std::vector<std::string> texts;
  for (const Continuation& answer : answers) texts.push_back(answer.text);
  return texts;
}

}  // namespace

TEST_CASE("a prompt is header, examples and row", "[prompt]") {
  const PromptWriter writer = first_writer(small_set());
  const data::Example row = labelled(7, "where is it", "refund");
  CHECK(writer.write(row).text == "Which intent?\n\nMessage: where is it\nIntent:");
  const PromptText prompt = writer.write(row, pointers(shots()));
  CHECK(prompt.text ==
        "Which intent?\n\nMessage: my card is gone\nIntent: card lost\n\nMessage: money back\nIntent: refund\n\n"
        "Message: where is it\nIntent:");
  CHECK(prompt.messages.empty());
  CHECK(texts_of(writer.answers()) == std::vector<std::string>{" card lost", " lost", " refund"});
  REQUIRE(writer.answers().size() == 3);
  CHECK(writer.answers()[1].label == 0);
  CHECK(writer.answers()[1].word == "lost");
  CHECK(writer.answers()[2].label == 1);
  CHECK(writer.answer_of(row) == " refund");
  CHECK_FALSE(writer.fills_gap());
}

TEST_CASE("the header shows background, tone and instruction, and may be left out", "[prompt]") {
  PromptSet set = small_set();
  set.texts.background = {"A bank."};
  set.texts.tone = {"Be brief."};
  const data::Example row = labelled(0, "x", "refund");
  CHECK(first_writer(set).write(row).text == "A bank.\nBe brief.\nWhich intent?\n\nMessage: x\nIntent:");
  CHECK(header_of(set, wordings(set).front()) == "A bank.\nBe brief.\nWhich intent?");
  set.texts.header = {"{{ tone | upper }}"};
  CHECK(first_writer(set).write(row).text == "BE BRIEF.\n\nMessage: x\nIntent:");
  set.texts.header = {""};
  CHECK(first_writer(set).write(row).text == "Message: x\nIntent:");
  PromptSet bare = small_set();
  bare.texts.instruction = {""};
  CHECK(first_writer(bare).write(row).text == "Message: x\nIntent:");
}

TEST_CASE("the header may stand behind the examples", "[prompt]") {
  PromptSet set = small_set();
  set.rules.order = {"examples_first"};
  CHECK(first_writer(set).write(labelled(7, "x", "refund"), std::vector<const data::Example*>{&shots()[0]}).text ==
        "Message: my card is gone\nIntent: card lost\n\nWhich intent?\n\nMessage: x\nIntent:");
}

TEST_CASE("rules change what stands around the row, never the row", "[prompt]") {
  PromptSet set = small_set();
  set.texts.input = {"Message: {{ text }}\n10:30 {{ 'Now:' }} Intent:"};
  set.texts.answer = {" Is: {{ answer }}"};
  set.rules.letter_case = {"upper"};
  set.rules.punctuation = {" -"};
  const PromptWriter writer = first_writer(set);
  CHECK(writer.write(labelled(0, "Ask: me", "refund")).text == "Which intent?\n\nMESSAGE - Ask: me\n10:30 Now: INTENT -");
  CHECK(writer.answers()[2].text == " IS - refund");
  set.rules.letter_case = {"lower"};
  set.rules.punctuation = {":"};
  CHECK(first_writer(set).write(labelled(0, "Ask: me", "refund")).text ==
        "Which intent?\n\nmessage: Ask: me\n10:30 Now: intent:");
}

TEST_CASE("a chat has the header as system turn and examples as turns of both", "[prompt]") {
  PromptSet set = small_set();
  set.chat = true;
  const data::Example row = labelled(7, "where \"is\" it", "refund");
  const PromptWriter writer = first_writer(set);
  const PromptText prompt = writer.write(row, pointers(shots()));
  CHECK(prompt.text.empty());
  CHECK(Json::parse(prompt.messages) == Json::parse(R"([
      {"role": "system", "content": "Which intent?"},
      {"role": "user", "content": "Message: my card is gone\nIntent:"}, {"role": "assistant", "content": "card lost"},
      {"role": "user", "content": "Message: money back\nIntent:"}, {"role": "assistant", "content": "refund"},
      {"role": "user", "content": "Message: where \"is\" it\nIntent:"}])"));
  CHECK(texts_of(writer.answers()) == std::vector<std::string>{"card lost", "lost", "refund"});
  set.rules.order = {"examples_first"};
  CHECK(Json::parse(first_writer(set).write(row).messages) ==
        Json::parse(R"([{"role": "user", "content": "Which intent?\n\nMessage: where \"is\" it\nIntent:"}])"));
}

TEST_CASE("a gap holds the mask token in the row and the word in examples", "[prompt]") {
  PromptSet set = small_set();
  set.texts.input = {"{{ text }} This is about {{ mask }}."};
  const PromptWriter writer = first_writer(set, "[MASK]");
  CHECK(writer.fills_gap());
  const PromptText prompt = writer.write(labelled(7, "Where is it?", "refund"), pointers(shots()));
  CHECK(prompt.text ==
        "Which intent?\n\nmy card is gone This is about card lost.\n\nmoney back This is about refund.\n\n"
        "Where is it? This is about [MASK].");
  CHECK(texts_of(writer.answers()) == std::vector<std::string>{"card lost", "lost", "refund"});
  CHECK_RAISES(writer.write(labelled(3, "a [MASK]", "refund")), data, "rows.jsonl:4: the prompt holds [MASK] 2 times");
  CHECK_RAISES(first_writer(set), usage, "set.json: input of wording 'default': the input has a gap");
  set.texts.input = {"{{ text }} {% if false %}{{ mask }}{% endif %}"};
  CHECK_RAISES(first_writer(set, "[MASK]").write(labelled(3, "a", "refund")), data, "0 times");
}

TEST_CASE("an input shows the columns of its row", "[prompt]") {
  const testing::TemporaryFolder folder;
  const std::string path =
      folder.write("rows.jsonl", R"({"text": "a", "shop": "Kiosk", "amount": 12, "label": "refund"})"
                                 "\n"
                                 R"({"text": "b", "shop": null, "amount": 3, "label": "refund"})");
  PromptSet set = small_set();
  set.texts.input = {"{{ shop }}, {{ amount * 2 }}, {{ text }}{{ note | default('') }}:"};
  data::DataOptions options;
  options.kept_columns = columns_of(set, options.columns, AnswerKind::label);
  CHECK(options.kept_columns == std::vector<std::string>{"shop", "amount", "note"});
  data::ReadReport report;
  const auto rows = data::read_examples({path}, options, data::RowKind::classification, report);
  const PromptWriter writer = first_writer(set);
  CHECK(writer.write(rows[0]).text == "Which intent?\n\nKiosk, 24, a:");
  CHECK_RAISES(
      writer.write(rows[1]), data,
      concat(path, ":2: there is no value for 'shop' (set.json: input of wording 'default'); give the column"));
  set.texts.input = {"{{ amount + shop }}"};
  CHECK_RAISES(first_writer(set).write(rows[0]), data, concat(path, ":1: '+' does not take"));
}

TEST_CASE("an input may not show the answer", "[prompt]") {
  PromptSet set = small_set();
  data::ColumnOptions columns;
  columns.label = "outcome";
  set.texts.input = {"{{ text }}", "{{ text }} {{ outcome }}"};
  CHECK_RAISES(
      columns_of(set, columns, AnswerKind::label), usage,
      "set.json: input of wording 'default/input=2': the input names the column 'outcome', which holds the answer");
  set.texts.input = {"{{ prompt }} {{ completion }}"};
  CHECK_RAISES(columns_of(set, columns, AnswerKind::text), usage, "'completion', which holds the answer");
  CHECK(columns_of(set, columns, AnswerKind::label) == std::vector<std::string>{"prompt", "completion"});
}

TEST_CASE("pairs of texts are shown for labels, and are the answer of a language model's row", "[prompt]") {
  PromptSet set = small_set();
  set.texts.input = {"{{ text }} | {{ text_pair }}"};
  data::Example row = labelled(0, "one", "refund");
  row.text_pair = std::string("two");
  row.has_pair = true;
  CHECK(first_writer(set).write(row).text == "Which intent?\n\none | two");

  const Wording wording = wordings(small_set()).front();
  const PromptWriter texts(small_set(), wording, {.kind = AnswerKind::text});
  const PromptText prompt = texts.write(labelled(5, "new", "refund"), std::vector<const data::Example*>{&row});
  CHECK(prompt.text == "Which intent?\n\nMessage: one\nIntent: two\n\nMessage: new\nIntent:");
  CHECK(texts.answers().empty());
  CHECK(texts.answer_of(row) == " two");
  CHECK_RAISES(texts.answer_of(labelled(5, "new", "refund")), data, "rows.jsonl:6: an example needs an answer");
  row.awaits_answer = true;
  CHECK_RAISES(texts.answer_of(row), data, "an example needs an answer");
  const PromptWriter leaking(set, wordings(set).front(), {.kind = AnswerKind::text});
  row.awaits_answer = false;
  CHECK_RAISES(leaking.write(row), data, "there is no value for 'text_pair'");
}

TEST_CASE("rows that cannot be shown are named", "[prompt]") {
  const PromptWriter writer = first_writer(small_set());
  data::Example chat = labelled(2, "said", "refund");
  chat.messages = std::string("[]x");
  CHECK_RAISES(writer.write(chat), data, "rows.jsonl:3: the row is a chat");
  CHECK_RAISES(writer.write(labelled(2, "", "refund")), data, "there is no value for 'text'");
  const data::Example unknown = labelled(4, "x", "refnd");
  CHECK_RAISES(writer.write(labelled(0, "x", "refund"), std::vector<const data::Example*>{&unknown}), data,
               "rows.jsonl:5: there is no label 'refnd', did you mean 'refund'?");
  data::Example none = labelled(4, "x", "");
  none.target = std::monostate();
  CHECK_RAISES(writer.answer_of(none), data, "an example needs one class");
  CHECK(writer.write(none).text == "Which intent?\n\nMessage: x\nIntent:");
  PromptSet set = small_set();
  set.texts.answer = {"{{ answer | replace('refund', '') }}"};
  CHECK_RAISES(first_writer(set), usage, "the word 'refund' of the label 'refund' becomes an empty answer");
}

TEST_CASE("as many of the last examples stay as fit", "[prompt]") {
  const PromptWriter writer = first_writer(small_set());
  const data::Example row = labelled(7, "x", "refund");
  const auto shown = pointers(shots());
  const auto fit = [&](std::size_t most) {
    return fit_prompt(writer, row, shown, [&](const PromptText& prompt) { return prompt.text.size() <= most; });
  };
  const std::string last = writer.write(row, std::span(shown).subspan(1)).text;
  CHECK(fit(1000).dropped == 0);
  CHECK(fit(1000).prompt.text == writer.write(row, shown).text);
  CHECK(fit(last.size()).dropped == 1);
  CHECK(fit(last.size()).prompt.text == last);
  CHECK(fit(last.size() - 1).dropped == 2);
  CHECK(fit(last.size() - 1).fits);
  CHECK_FALSE(fit(3).fits);
  CHECK(fit(3).prompt.text == writer.write(row).text);
}
