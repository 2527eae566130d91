// What self-training asks and takes: wordings of rows, known texts, rows with the labels that were agreed on. Whole
// runs are in tests/app.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "../../src/job/agreed_labels.h"
#include "attune/config/config.h"
#include "attune/job/prepare.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using attune::testing::TemporaryFolder;
using Json = files::Json;

namespace {

std::string lines_of(const Json& rows) {
  std::string lines;
  for (const Json& row : rows) lines += row.dump() + "\n";
  return lines;
}

/// Four labelled rows, two to choose by, one that is sealed, and eight without labels of which two are new.
class SelfTrainingFiles {
 public:
  SelfTrainingFiles() {
    write("train", {{{"text", "my card is lost"}, {"label", "card"}},
                    {{"text", "where is my refund"}, {"label", "refund"}},
                    {{"text", "the card broke"}, {"label", "card"}},
                    {{"text", "refund me"}, {"label", "refund"}}});
    write("validation",
          {{{"text", "a card was eaten"}, {"label", "card"}}, {{"text", "money back"}, {"label", "refund"}}});
    write("test", Json::array({{{"text", "Sealed card"}, {"label", "card"}}}));
    write("unlabelled", {{{"id", "tested"}, {"text", "sealed  CARD"}},
                         {{"id", "first"}, {"text", "card gone"}, {"label", {"no", "class"}}},
                         {{"id", "chosen"}, {"text", "Money back"}},
                         {{"id", "known"}, {"text", "refund me"}, {"label", "card"}},
                         {{"id", "again"}, {"text", "Card gone"}},
                         {{"id", "second"}, {"text", "pay me back"}, {"label", 7}},
                         {{"id", "thrice"}, {"text", "card GONE"}}});
    folder_.write("prompts.json", prompts.dump());
    config = {{"model", {{"path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"}, {"task", "text-generation"}}},
              {"data",
               {{"train", folder_ / "train.jsonl"},
                {"validation", folder_ / "validation.jsonl"},
                {"test", folder_ / "test.jsonl"},
                {"unlabelled", folder_ / "unlabelled.jsonl"},
                {"prompts", folder_ / "prompts.json"},
                {"train_wordings", "*"}}},
              {"tuning", {{"self_training", Json::object()}}},
              {"seeds", {1}},
              {"device", "cpu"},
              {"output_dir", folder_ / "out"}};
  }

  void write(const std::string& name, const Json& rows) { folder_.write(name + ".jsonl", lines_of(rows)); }

  job::Prepared prepare() const {
    folder_.write("prompts.json", prompts.dump());
    return job::prepare(config::parse(config.dump(), "test.json").options, report::EventBus());
  }

  Json prompts = {{"input", {"Message: {{ text }}\nTopic:", "{{ text }}\n=>", "Sort this: {{ text }}\nUnder:"}}};
  Json config;

 private:
  TemporaryFolder folder_;
};

std::vector<std::string> texts_of(const job::Rows& rows) {
  std::vector<std::string> texts;
  for (const data::Example& row : rows.examples) texts.push_back(row.text);
  return texts;
}

using Texts = std::vector<std::string>;

/// Training rows keep their tokens alone.
std::string trained_text(const job::Prepared& prepared, std::size_t row) {
  return prepared.tokenizer->decode(prepared.train.encoded[row].ids, /*skip_special_tokens=*/true);
}

}  // namespace

TEST_CASE("unlabelled rows with the text of another row are left out, and labels are not read", "[job][self]") {
  const SelfTrainingFiles files;
  const job::Prepared prepared = files.prepare();
  CHECK(prepared.data_summary["unlabelled"] ==
        Json{{"read", 7}, {"rows", 2}, {"left_out", {{"test", 1}, {"validation", 1}, {"train", 1}, {"repeated", 2}}}});
  REQUIRE(prepared.unlabelled.examples.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(prepared.unlabelled.examples[i].id == (i < 3 ? "first" : "second"));
    CHECK(std::holds_alternative<std::monostate>(prepared.unlabelled.examples[i].target));
    CHECK(prepared.unlabelled.encoded[i].label < 0);
  }
  CHECK(texts_of(prepared.unlabelled)[4] == "pay me back\n=>");
  std::vector<std::int64_t> numbers;
  for (const job::Rows* rows : {&prepared.train, &prepared.validation, &prepared.test, &prepared.unlabelled}) {
    for (const data::Example& row : rows->examples) numbers.push_back(row.row);
  }
  std::ranges::sort(numbers);
  CHECK(std::ranges::adjacent_find(numbers) == numbers.end());  // dropout differs from row to row
}

TEST_CASE("where every unlabelled row is known there is nothing to ask", "[job][self]") {
  SelfTrainingFiles files;
  files.write("unlabelled", {{{"text", "Sealed card"}}, {{"text", "refund me"}}});
  CHECK_RAISES(files.prepare(), data, "none of the 2 rows is left");
}

TEST_CASE("training rows stand in every wording, the others in one", "[job][self]") {
  SelfTrainingFiles files;
  SECTION("the first by default") {
    const job::Prepared prepared = files.prepare();
    CHECK(prepared.prompts_a_row() == 3);
    REQUIRE(prepared.train.encoded.size() == 12);
    CHECK(trained_text(prepared, 0).starts_with("Message: my card is lost\nTopic:"));
    CHECK(trained_text(prepared, 1).starts_with("my card is lost\n=>"));
    CHECK(trained_text(prepared, 2).starts_with("Sort this: my card is lost\nUnder:"));
    CHECK(trained_text(prepared, 3).starts_with("Message: where is my refund\nTopic:"));
    CHECK(texts_of(prepared.validation) == Texts{"Message: a card was eaten\nTopic:", "Message: money back\nTopic:"});
    CHECK(texts_of(prepared.asked_validation)[4] == "money back\n=>");
    CHECK(prepared.data_summary["splits"]["train"]["rows"] == 4);
    CHECK(prepared.data_summary["labels"] == Json{{"card", 2}, {"refund", 2}});
  }
  SECTION("or the one that is named") {
    files.config["data"]["train_wordings"] = {"default/input=3", "default/input=1"};
    files.config["data"]["wording"] = "default/input=2";
    const job::Prepared prepared = files.prepare();
    CHECK(trained_text(prepared, 0).starts_with("Sort this: my card is lost\nUnder:"));
    CHECK(trained_text(prepared, 1).starts_with("Message: my card is lost\nTopic:"));
    CHECK(texts_of(prepared.test) == Texts{"Sealed card\n=>"});
  }
  SECTION("without self-training too") {
    files.config["tuning"].erase("self_training");
    files.config["data"].erase("unlabelled");
    const job::Prepared prepared = files.prepare();
    CHECK(prepared.train.encoded.size() == 12);
    CHECK(prepared.asked_validation.empty());
    CHECK(prepared.unlabelled.empty());
  }
}

TEST_CASE("wordings that cannot be asked together are refused", "[job][self]") {
  SelfTrainingFiles files;
  SECTION("one") {
    files.prompts["input"] = "{{ text }}\n=>";
    CHECK_RAISES(files.prepare(), usage, "one wording, which agrees with itself");
  }
  SECTION("other answers") {
    files.prompts["answer"] = {" {{ answer }}", " topic {{ answer }}"};
    CHECK_RAISES(files.prepare(), usage, "write the answers differently");
  }
  SECTION("a name that there is not") {
    files.config["data"]["train_wordings"] = {"default/input=1", "default/input=4"};
    CHECK_RAISES(files.prepare(), usage, "there is no wording 'default/input=4' (data.train_wordings)");
  }
}

TEST_CASE("rows that were agreed on are trained on behind the labelled ones, in every wording", "[job][self]") {
  SelfTrainingFiles files;
  const job::Prepared prepared = files.prepare();
  const job::AgreedLabels taken{.rows = {1}, .agreements = {{.label = 1, .share = 1, .probability = 0.75}}};
  const job::TaughtRows rows = job::taught_rows(taken, prepared);
  REQUIRE(rows.encoded.size() == 15);
  REQUIRE(rows.examples.size() == 15);
  for (std::size_t i = 0; i < 15; ++i) CHECK(rows.encoded[i].example == static_cast<std::int64_t>(i));
  for (std::size_t i = 12; i < 15; ++i) {
    CHECK(rows.encoded[i].label == 1);
    CHECK(rows.examples[i].id == "second");
    CHECK(std::get<data::ClassLabel>(rows.examples[i].target).name == "refund");
  }
  CHECK(job::count_by_label(taken, prepared) == Json{{"card", 0}, {"refund", 1}});
  CHECK(job::AgreedLabels::from_json(taken.to_json()).to_json() == taken.to_json());
  const Json line = Json::parse(job::selected_lines(taken, prepared, 2));
  CHECK(line["round"] == 2);
  CHECK(line["id"] == "second");
  CHECK(line["line"] == 6);
  CHECK(line["label"] == "refund");
  CHECK(line["probability"] == 0.75);
}

TEST_CASE("a row that was agreed on is learned as if it had come with the label", "[job][self]") {
  SelfTrainingFiles files;
  files.write("unlabelled", {{{"text", "where is my refund now"}}, {{"text", "pay me back"}}});
  files.prompts["label_words"] = {{"card", "card"}, {"refund", "money to be returned"}};
  const job::Prepared asked = files.prepare();
  const job::TaughtRows taught =
      job::taught_rows({.rows = {1}, .agreements = {{.label = 1, .share = 1, .probability = 1}}}, asked);
  files.write("train",
              {{{"text", "my card is lost"}, {"label", "card"}}, {{"text", "pay me back"}, {"label", "refund"}}});
  files.write("unlabelled", {{{"text", "where is my refund now"}}, {{"text", "card"}}});
  const job::Prepared labelled = files.prepare();
  for (std::size_t wording = 0; wording < 3; ++wording) {
    const task::Encoded &mine = taught.encoded[12 + wording], &theirs = labelled.train.encoded[3 + wording];
    CHECK(mine.ids == theirs.ids);
    CHECK(mine.label == theirs.label);
    CHECK(mine.ids != asked.unlabelled.encoded[3 + wording].ids);  // the beginning of the words that are learned
  }
}

TEST_CASE("validation rows show how far agreement can be trusted", "[job][self]") {
  const SelfTrainingFiles files;
  const job::Prepared prepared = files.prepare();
  const std::vector<metrics::Agreement> answers = {{.label = 0, .share = 1, .probability = 0.9},
                                                   {.label = 0, .share = 0.5, .probability = 0.6}};
  CHECK(job::judge_agreement(answers, prepared, {}) ==
        Json{{"rows", 2}, {"agreed", 1}, {"accuracy", 1.0}, {"accuracy_of_all", 0.5}});
  const Json nothing = job::judge_agreement(answers, prepared, {.min_probability = 0.95});
  CHECK(nothing["agreed"] == 0);
  CHECK(nothing["accuracy"].is_null());
}
