// Readers: every form of file and label read as it should be. Bad rows are in bad_rows_test.cpp.
#include "attune/data/read.h"

#include <zlib.h>

#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune::data;
using attune::testing::TemporaryFolder;

/// Reads one file with this content.
std::vector<Example> read_content(const std::string& name, std::string_view content, const DataOptions& options = {},
                          RowKind kind = RowKind::classification, LabelNeed need = LabelNeed::required) {
  const TemporaryFolder folder;
  ReadReport report;
  const auto examples = read_examples({folder.write(name, content)}, options, kind, report, need);
  CHECK(report.rows == static_cast<std::int64_t>(examples.size()));
  CHECK(report.skipped == 0);
  return examples;
}

std::string class_of(const Example& example) {
  return std::get<ClassLabel>(example.target).name;
}
std::vector<std::string> set_of(const Example& example) {
  return std::get<LabelSet>(example.target).names;
}

DataOptions with_labels(const std::string& labels) {
  DataOptions options;
  options.labels = labels;
  return options;
}

}  // namespace

TEST_CASE("JSONL, CSV and TSV give the same rows", "[data][read]") {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"x.jsonl", "{\"text\": \"a \\u00e9, b\", \"label\": \"yes\"}\n\n{\"label\": \"no\", \"text\": \"c\\nd\"}"},
      {"x.json", "{\"text\": \"a é, b\", \"label\": \"yes\"}\r\n\r\n{\"label\": \"no\", \"text\": \"c\\nd\"}\r\n"},
      {"x.csv", "\xef\xbb\xbftext,label\n\"a é, b\",yes\n\"c\nd\",no\n"},
      {"x.tsv", "label\ttext\nyes\ta é, b\nno\t\"c\nd\"\n"},
      {"X.CSV", "label,other,text\nyes,1,\"a é, b\"\nno,,\"c\nd\"\n"},
  };
  for (const auto& [name, content] : files) {
    INFO(name);
    const auto rows = read_content(name, content);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].text == "a é, b");
    CHECK(class_of(rows[0]) == "yes");
    CHECK(rows[1].text == "c\nd");
    CHECK(class_of(rows[1]) == "no");
    CHECK(rows[1].row == 1);
    CHECK(rows[1].id == "1");
    CHECK(rows[1].weight == 1.0);
    CHECK_FALSE(rows[1].has_pair);
  }
}

TEST_CASE("gzip is known by its content", "[data][read]") {
  const TemporaryFolder folder;
  for (const std::string name : {"x.jsonl.gz", "x.jsonl", "x.csv.gz"}) {
    INFO(name);
    const std::string path = folder / name;
    const bool is_json = name.find("json") != std::string::npos;
    gzFile file = gzopen(path.c_str(), "wb");
    gzputs(file, is_json ? "{\"text\": \"a\", \"label\": 1}\n" : "text,label\na,1\n");
    gzclose(file);
    ReadReport report;
    const auto rows = read_examples({path}, {}, RowKind::classification, report);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].text == "a");
  }
}

TEST_CASE("several files are one data set, numbered through", "[data][read]") {
  const TemporaryFolder folder;
  const std::string first = folder.write("a.csv", "text,label\nx,1\n\ny,2\n");
  const std::string second = folder.write("b.jsonl", "{\"text\": \"z\", \"label\": \"3\"}\n");
  ReadReport report;
  const auto rows = read_examples({first, second}, {}, RowKind::classification, report);
  REQUIRE(rows.size() == 3);
  CHECK(report.rows == 3);
  CHECK(rows[2].row == 2);
  CHECK(rows[1].origin.file == first);
  CHECK(rows[1].origin.line == 4);
  CHECK(rows[2].origin.line == 1);
}

TEST_CASE("columns give id, group, time, weight and a second text", "[data][read]") {
  DataOptions options;
  options.columns.text = "premise";
  options.columns.text_pair = "hypothesis";
  options.columns.label = "gold";
  options.columns.weight = "w";
  options.columns.group = "patient";
  options.columns.time = "day";
  options.columns.id = "uid";
  const std::vector<std::pair<std::string, std::string>> files = {
      {"x.jsonl", R"({"uid": 7, "premise": "a", "hypothesis": "b", "gold": 1, "w": 0.5, "patient": 12,)"
                  R"( "day": "2026-01-31"})"},
      {"x.csv", "uid,premise,hypothesis,gold,w,patient,day\n7,a,b,1,0.5,12,2026-01-31\n"}};
  for (const auto& [name, content] : files) {
    INFO(name);
    const auto rows = read_content(name, content, options);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].id == "7");
    CHECK(rows[0].text_pair == "b");
    CHECK(rows[0].has_pair);
    CHECK(rows[0].weight == 0.5);
    CHECK(rows[0].group == "12");
    CHECK(rows[0].time == "2026-01-31");
    CHECK(class_of(rows[0]) == "1");
  }
}

TEST_CASE("labels are read as the option says", "[data][read][labels]") {
  using Names = std::vector<std::string>;
  CHECK(class_of(read_content("x.jsonl", R"({"text": "a", "label": -3})")[0]) == "-3");
  CHECK(class_of(read_content("x.jsonl", R"({"text": "a", "label": true})")[0]) == "true");
  CHECK(class_of(read_content("x.jsonl", R"({"text": "a", "label": 2.0})")[0]) == "2");
  CHECK(class_of(read_content("x.jsonl", R"({"text": "a", "label": 2.0})", with_labels("single"))[0]) == "2");
  CHECK(class_of(read_content("x.csv", "text,label\na,2.50\n")[0]) == "2.50");
  CHECK(set_of(read_content("x.jsonl", R"({"text": "a", "label": ["x", 2]})")[0]) == Names{"x", "2"});
  CHECK(set_of(read_content("x.jsonl", R"({"text": "a", "label": []})")[0]).empty());
  CHECK(set_of(read_content("x.csv", "text,label\na,x|y z\n", with_labels("multi"))[0]) == Names{"x", "y z"});
  CHECK(set_of(read_content("x.csv", "text,label\na,\n", with_labels("multi"))[0]).empty());
  CHECK(class_of(read_content("x.csv", "text,label\na,x|y\n")[0]) == "x|y");
  const auto cell = read_content("x.csv", "text,label\na, 2.5e1\n", with_labels("regression"));
  CHECK(std::get<Value>(cell[0].target).value == 25.0);
  const auto whole = read_content("x.jsonl", R"({"text": "a", "label": 3})", with_labels("regression"));
  CHECK(std::get<Value>(whole[0].target).value == 3);
}

TEST_CASE("under auto one fraction makes all numbers values", "[data][read][labels]") {
  const std::string whole = "{\"text\": \"a\", \"label\": 3}\n{\"text\": \"b\", \"label\": 4.0}\n";
  const auto values = read_content("x.jsonl", whole + "{\"text\": \"c\", \"label\": 0.25}\n");
  CHECK(std::get<Value>(values[0].target).value == 3);
  CHECK(std::get<Value>(values[1].target).value == 4);
  CHECK(std::get<Value>(values[2].target).value == 0.25);
  const auto classes = read_content("x.jsonl", whole);
  CHECK(class_of(classes[0]) == "3");
  CHECK(class_of(classes[1]) == "4");
  CHECK(labels_setting(collect_labels(values).kind) == "regression");
  CHECK(labels_setting(collect_labels(classes).kind) == "single");
}

TEST_CASE("a template builds the text and keeps the spelling of numbers", "[data][read][template]") {
  DataOptions options;
  options.template_text = "{{amount}} {{ currency }} at {{merchant}} ({{amount}}, {{foreign}})";
  const auto text = [&](const std::string& name, const std::string& content) {
    return read_content(name, content, options).at(0).text;
  };
  CHECK(text("x.jsonl", R"({"amount": 12.50, "currency": "EUR", "merchant": "Kiosk", "foreign": false, "label": 1})") ==
        "12.50 EUR at Kiosk (12.50, false)");
  CHECK(text("x.jsonl", R"({"amount": 123456789012345678901234567890, "currency": 1E5, "merchant": 0.1,)"
                        R"( "foreign": -7, "label": 1})") ==
        "123456789012345678901234567890 1E5 at 0.1 (123456789012345678901234567890, -7)");
  CHECK(text("x.csv", "amount,currency,merchant,foreign,label\n012.0,EUR,,no,1\n") == "012.0 EUR at  (012.0, no)");
}

TEST_CASE("a row's own id names it, else its number", "[data][read]") {
  const auto rows = read_content("x.jsonl", "{\"id\": \"a\", \"text\": \"b\", \"label\": 1}\n{\"id\": 12, \"text\": \"b\", \"label\": 1}\n"
                                            "{\"id\": null, \"text\": \"b\", \"label\": 1}\n{\"id\": [1], \"text\": \"b\", \"label\": 1}\n{\"text\": \"b\", \"label\": 1}\n", {});
  REQUIRE(rows.size() == 5);
  CHECK(rows[0].id == "a");
  CHECK(rows[1].id == "12");
  for (const std::size_t i : {2, 3, 4}) CHECK(rows[i].id == std::to_string(i));
  DataOptions named;
  named.columns.id = "label";
  CHECK(read_content("x.csv", "id,text,label\na,b,c\n", named)[0].id == "c");
}

TEST_CASE("rows with input_ids skip the tokenizer", "[data][read]") {
  const auto rows = read_content("x.jsonl", R"({"input_ids": [101, 7, 102], "token_type_ids": [0, 0, 1],)"
                                    R"( "attention_mask": [1, 1, 1], "label": 0})");
  CHECK(rows[0].input_ids == std::vector<std::int32_t>{101, 7, 102});
  CHECK(rows[0].token_type_ids == std::vector<std::int32_t>{0, 0, 1});
  CHECK(rows[0].text.empty());
}

TEST_CASE("token labels, spans and plain text are read", "[data][read]") {
  const auto words =
      read_content("x.jsonl", R"({"tokens": ["Ann", "paid"], "ner_tags": ["B-PER", 0]})", {}, RowKind::token_labels);
  CHECK(words[0].words == std::vector<std::string>{"Ann", "paid"});
  CHECK(std::get<TokenTags>(words[0].target).tags == std::vector<std::string>{"B-PER", "0"});

  const std::string forms[] = {R"({"text": ["Ann"], "answer_start": [6]})", R"([{"text": "Ann", "answer_start": 6}])"};
  for (const std::string& form : forms) {
    const auto spans = read_content("x.jsonl", R"({"question": "Who?", "context": "Zoë é Ann", "answers": )" + form + "}", {},
                            RowKind::span_qa);
    CHECK(spans[0].text == "Who?");
    CHECK(spans[0].text_pair == "Zoë é Ann");
    CHECK(std::get<Answers>(spans[0].target).answers.at(0).start == 6);
  }
  const auto none =
      read_content("x.jsonl", R"({"question": "Who?", "context": "Nobody.", "answers": null})", {}, RowKind::span_qa);
  CHECK(std::get<Answers>(none[0].target).answers.empty());

  const auto lines = read_content("x.txt", "first line\n\nsecond line\n", {}, RowKind::masked_lm);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].text == "second line");
  CHECK(lines[1].origin.line == 3);
}

TEST_CASE("rows to predict need no label", "[data][read]") {
  const auto predict = [](const std::string& name, const std::string& content, RowKind kind) {
    return read_content(name, content, {}, kind, LabelNeed::optional);
  };
  const auto rows = predict("x.jsonl", R"({"text": "a"}
{"text": "b", "label": null}
{"text": "c", "label": "x"})",
                            RowKind::classification);
  CHECK(std::holds_alternative<std::monostate>(rows[0].target));
  CHECK(std::holds_alternative<std::monostate>(rows[1].target));
  CHECK(class_of(rows[2]) == "x");
  CHECK(predict("x.txt", "a\nb\n", RowKind::classification).size() == 2);
  CHECK(predict("x.jsonl", R"({"question": "q", "context": "c"})", RowKind::span_qa).size() == 1);
  CHECK(predict("x.jsonl", R"({"tokens": ["q"]})", RowKind::token_labels).size() == 1);
}

TEST_CASE("rows carry the columns that were asked for", "[data][read]") {
  const std::string line = R"({"text": "a", "label": "x", "note": "é \"q\"", "amount": 12.50, "count": 3, "none": null, )"
                           R"("list": [1, {"k": true}]})";
  DataOptions options;
  options.kept_columns = {"amount", "missing", "note", "none", "list", "count", "label"};
  const auto rows = read_content("x.jsonl", line, options);
  CHECK(*rows[0].columns ==
        R"({"amount":12.5,"note":"é \"q\"","list":[1,{"k":true}],"count":3,"label":"x"})");
  CHECK(class_of(rows[0]) == "x");
  CHECK_FALSE(read_content("x.jsonl", line)[0].columns);

  options.kept_columns = {"amount"};
  CHECK(*read_content("x.csv", "text,label,amount\na,x,12.50\n", options)[0].columns == R"({"amount":"12.50"})");
  CHECK_FALSE(read_content("x.csv", "text,label\na,x\n", options)[0].columns);
  CHECK(*read_content("x.jsonl", R"({"prompt": "a", "completion": "b", "amount": 1})", options, RowKind::language)[0].columns ==
        R"({"amount":1})");
}

TEST_CASE("the fingerprint of files depends on content, name and order", "[data][read]") {
  const TemporaryFolder folder;
  const std::string a = folder.write("a.csv", "1");
  const std::string b = folder.write("b.csv", "2");
  CHECK(fingerprint_files({a, b}) == fingerprint_files({folder.write("x/a.csv", "1"), b}));
  CHECK(fingerprint_files({a, b}) != fingerprint_files({b, a}));
  CHECK(fingerprint_files({a}) != fingerprint_files({folder.write("x/a.csv", "3")}));
  CHECK(fingerprint_files({a}) != fingerprint_files({folder.write("c.csv", "1")}));
  CHECK(fingerprint_files({a}).size() == 64);
}
