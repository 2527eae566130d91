// Rows that lie in a file are the rows that were read.
#include "attune/data/example.h"

#include <string>
#include <vector>

#include "attune/data/overlap.h"
#include "attune/data/read.h"
#include "catch.h"
#include "temporary_folder.h"

namespace {

using namespace attune;
using namespace attune::data;
using testing::TemporaryFolder;

/// Every member differs from a fresh row's, or none but those that a plain row has.
Example full_example() {
  Example example;
  example.row = 7;
  example.origin = {"a.jsonl", 12};
  example.id = "an id";
  example.group = std::string("g");
  example.time = std::string("2024");
  example.weight = 0.25;
  example.text = "text";
  example.text_pair = std::string("pair");
  example.messages = std::string("[]");
  example.prompt_messages = 3;
  example.tools = std::string("[1]");
  example.columns = std::string("{}");
  example.words = std::vector<std::string>{"w", "x"};
  example.input_ids = std::vector<std::int32_t>{1, 70000};
  example.token_type_ids = std::vector<std::int32_t>{0, 1};
  example.has_pair = example.awaits_answer = example.has_empty_answer = example.label_is_number = true;
  return example;
}

std::string bytes_of(const Example& example, files::SharedTexts& shared) {
  std::string bytes;
  files::Packer packer(bytes, shared);
  pack(example, packer);
  return bytes;
}

void check_equal(const Example& a, const Example& b) {
  CHECK(a.row == b.row);
  CHECK(a.origin.file == b.origin.file);
  CHECK(a.origin.line == b.origin.line);
  CHECK(a.id == b.id);
  CHECK(a.group == b.group);
  CHECK(a.time == b.time);
  CHECK(a.weight == b.weight);
  CHECK(a.text == b.text);
  CHECK(a.text_pair == b.text_pair);
  CHECK(a.messages == b.messages);
  CHECK(a.prompt_messages == b.prompt_messages);
  CHECK(a.tools == b.tools);
  CHECK(a.columns == b.columns);
  CHECK(a.words == b.words);
  CHECK(a.input_ids == b.input_ids);
  CHECK(a.token_type_ids == b.token_type_ids);
  CHECK(a.has_pair == b.has_pair);
  CHECK(a.awaits_answer == b.awaits_answer);
  CHECK(a.has_empty_answer == b.has_empty_answer);
  CHECK(a.label_is_number == b.label_is_number);
  REQUIRE(a.target.index() == b.target.index());
  if (const auto* label = std::get_if<ClassLabel>(&a.target)) CHECK(label->name == std::get<ClassLabel>(b.target).name);
  if (const auto* set = std::get_if<LabelSet>(&a.target)) CHECK(set->names == std::get<LabelSet>(b.target).names);
  if (const auto* value = std::get_if<Value>(&a.target)) CHECK(value->value == std::get<Value>(b.target).value);
  if (const auto* tags = std::get_if<TokenTags>(&a.target)) CHECK(tags->tags == std::get<TokenTags>(b.target).tags);
  if (const auto* answers = std::get_if<Answers>(&a.target)) {
    const auto& others = std::get<Answers>(b.target).answers;
    REQUIRE(answers->answers.size() == others.size());
    for (std::size_t i = 0; i < others.size(); ++i) {
      CHECK(answers->answers[i].text == others[i].text);
      CHECK(answers->answers[i].start == others[i].start);
    }
  }
}

}  // namespace

TEST_CASE("a packed row has every member and forgets the row that was unpacked before it", "[data][long_list]") {
  const std::vector<Target> targets = {std::monostate(),     ClassLabel{"name"},         LabelSet{{"a", "b"}},
                                       Value{0.1},           TokenTags{{"O", "B-x"}},    Answers{{{"answer", 4}, {"", 0}}}};
  REQUIRE(targets.size() == std::variant_size_v<Target>);
  std::vector<Example> examples;
  for (const Target& target : targets) {
    examples.push_back(full_example());
    examples.back().target = target;
    examples.emplace_back().target = target;
  }
  files::SharedTexts shared;
  Example unpacked;
  for (const Example& example : examples) {
    const std::string bytes = bytes_of(example, shared);
    files::Unpacker packed(bytes, shared);
    unpack(packed, unpacked);
    check_equal(unpacked, example);
  }
}

TEST_CASE("numbers as labels are decided by rows that lie in a file too", "[data][long_list]") {
  const TemporaryFolder folder;
  for (const std::string& last : {std::string("3"), std::string("2.5")}) {
    std::string lines = R"({"text": "a", "label": 3.0})"
                        "\n";
    for (int i = 0; i < 40; ++i) lines += R"({"text": "b", "label": 4})" "\n";
    const std::string path = folder.write("rows.jsonl", lines + R"({"text": "c", "label": )" + last + "}\n");
    ReadReport report, report_of_list;
    const std::vector<Example> read = read_examples({path}, {}, RowKind::classification, report);
    files::LongList<Example> list;
    list.spill_to(folder.path(), 500);
    read_examples({path}, {}, RowKind::classification, report_of_list, LabelNeed::required, list);
    REQUIRE(list.size() == read.size());
    for (std::size_t i = 0; i < read.size(); ++i) check_equal(*list.get(i), read[i]);
    CHECK(collect_labels(list).names == collect_labels(read).names);
    CHECK(report.rows == report_of_list.rows);
  }
}

TEST_CASE("repeated texts are found among rows that lie in a file", "[data][overlap][long_list]") {
  const TemporaryFolder folder;
  std::vector<Example> train, test;
  for (int i = 0; i < 60; ++i) {
    Example& example = (i < 50 ? train : test).emplace_back();
    example.origin = {i < 50 ? "train" : "test", i};
    example.text = "text " + std::to_string(i % 35 * (i % 7 == 0 ? 1 : 7));
    example.target = ClassLabel{i % 2 == 0 ? "a" : "b"};
  }
  files::LongList<Example> list;
  list.spill_to(folder.path(), 10 * sizeof(Example));
  for (const Example& example : train) list.push_back(example);
  const auto expected = find_overlaps(std::vector<NamedSplit>{{"train", train}, {"test", test}});
  const auto found = find_overlaps(std::vector<NamedSplit>{{"train", list}, {"test", test}});
  REQUIRE(expected.size() == 2);
  REQUIRE(found.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(found[i].message() == expected[i].message());
    CHECK(found[i].conflicts == expected[i].conflicts);
  }
}
