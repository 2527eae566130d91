// The label map: order, kinds, ids, unseen labels.
#include "attune/data/labels.h"

#include "attune/data/read.h"
#include "catch.h"
#include "raises.h"

namespace {

using namespace attune::data;
using Names = std::vector<std::string>;

Example row(std::int64_t line, Target target) {
  Example example;
  example.origin = {"x.jsonl", line};
  example.target = std::move(target);
  return example;
}

std::vector<Example> classes(const Names& names) {
  std::vector<Example> rows;
  for (const std::string& name : names) {
    rows.push_back(row(static_cast<std::int64_t>(rows.size()) + 1, ClassLabel{name}));
  }
  return rows;
}

}  // namespace

TEST_CASE("labels are numbered in a fixed order", "[data][labels]") {
  const std::string long_number = "123456789012345678901234567890";
  CHECK(collect_labels(classes({"10", "9", "-2", "10", "-10", "0", long_number, "07", "7"})).names ==
        Names{"-10", "-2", "0", "07", "7", "9", "10", long_number});
  CHECK(collect_labels(classes({"b", "é", "a", "B", "10", "9"})).names == Names{"10", "9", "B", "a", "b", "é"});
  const LabelMap labels = collect_labels(classes({"b", "a"}));
  CHECK(labels.kind == TargetKind::single);
  CHECK(labels.find("b") == 1);
  CHECK_FALSE(labels.find("c").has_value());
  const std::vector tags = {row(1, TokenTags{{"O", "B-X"}}), row(2, TokenTags{{"I-X"}})};
  CHECK(collect_labels(tags).names == Names{"B-X", "I-X", "O"});
  CHECK(collect_labels(std::vector{row(1, LabelSet{{"z"}}), row(2, LabelSet{})}).names == Names{"z"});
  CHECK(collect_labels(std::vector{row(1, Value{1.5})}).names.empty());
  CHECK(collect_labels(std::vector{row(1, {})}).kind == TargetKind::none);
}

TEST_CASE("label sets that cannot be learned are errors", "[data][labels]") {
  auto rows = classes({"a", "b"});
  rows.push_back(row(7, Value{0.5}));
  CHECK_RAISES(collect_labels(rows), data,
               "x.jsonl:7: the label is a number, but one class at x.jsonl:1; give all rows the same kind");
  rows.back().target = {};
  CHECK_RAISES(collect_labels(rows), data, "x.jsonl:7: the label is missing, but one class at x.jsonl:1");
  CHECK_RAISES(collect_labels(classes({"a", "a", "a"})), data,
               "x.jsonl: all 3 rows have the label 'a', two classes or more");
  CHECK_RAISES(collect_labels(std::vector{row(1, LabelSet{})}), data, "no row has a label");
}

TEST_CASE("names that look alike are found", "[data][labels]") {
  const auto rows = classes({"Billing", "billing ", "card_lost", "card lost", "1", "-1", "other"});
  const std::vector<std::pair<std::string, std::string>> expected = {{"Billing", "billing "},
                                                                     {"card lost", "card_lost"}};
  CHECK(look_alike_names(collect_labels(rows)) == expected);
}

TEST_CASE("targets become ids and unseen labels name the nearest", "[data][labels]") {
  const LabelMap labels{TargetKind::single, {"card_lost", "refund"}};
  CHECK(class_id(labels, row(1, ClassLabel{"refund"})) == 1);
  CHECK_RAISES(class_id(labels, row(3, ClassLabel{"refunds"})), data,
               "x.jsonl:3: the label 'refunds' does not occur among the labels of the model, did you mean 'refund'? "
               "(labels: card_lost, refund)");
  CHECK_RAISES(class_id(labels, row(3, Value{1})), data, "x.jsonl:3: the label is a number, one class was expected");
  const LabelMap sets{TargetKind::multi, {"a", "b", "c"}};
  CHECK(multi_hot(sets, row(1, LabelSet{{"c", "a"}})) == std::vector<float>{1, 0, 1});
  const LabelMap tags{TargetKind::tags, {"B", "O"}};
  CHECK(tag_ids(tags, row(1, TokenTags{{"O", "B", "O"}})) == std::vector<std::int64_t>{1, 0, 1});
  CHECK(value_of(row(1, Value{2.5})) == 2.5);
}

TEST_CASE("evaluation rows are checked against the labels of the training rows", "[data][labels]") {
  const LabelMap labels = collect_labels(classes({"a", "b"}));
  auto rows = classes({"a", "c", "b"});
  rows.push_back(row(4, {}));
  ReadReport report;
  report.rows = 4;
  CHECK_RAISES(check_labels(rows, labels, "error", report), data, "x.jsonl:2: the label 'c' does not occur");
  CHECK(rows.size() == 4);
  check_labels(rows, labels, "skip", report);
  CHECK(rows.size() == 3);
  CHECK(report.rows == 3);
  CHECK(report.skipped == 1);
}
