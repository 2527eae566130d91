// Every way in which a data file can be bad: the message a person gets, as an error and under on_bad_row: skip.
#include "attune/data/read.h"
#include "attune/data/row_template.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune::data;
using namespace std::string_literals;
using attune::testing::TemporaryFolder;

struct Bad {
  std::string file;
  std::string content;
  std::string message;  ///< how the error begins, behind the folder
};

/// Each file must give exactly its error.
void check_messages(const std::vector<Bad>& cases, RowKind kind = RowKind::classification,
                    const DataOptions& options = {}) {
  for (const Bad& bad : cases) {
    const TemporaryFolder folder;
    const std::string path = folder.write(bad.file, bad.content);
    ReadReport report;
    INFO(bad.content);
    const std::string message =
        attune::testing::error_of([&] { read_examples({path}, options, kind, report); }, attune::ErrorKind::data);
    CHECK(message.substr(0, folder.path().size() + 1 + bad.message.size()) == folder / bad.message);
  }
}

template <class Change>
DataOptions options_with(Change change) {
  DataOptions options;
  change(options);
  return options;
}

/// A row with the label 1 and this text, as JSON.
std::string text_row(const std::string& json_text) {
  return "{\"text\": " + json_text + ", \"label\": 1}";
}
std::string label_row(const std::string& json_label) {
  return "{\"text\": \"a\", \"label\": " + json_label + "}";
}

const std::string kGood = text_row("\"a\"") + "\n";

}  // namespace

TEST_CASE("bad files are errors that say what was found", "[data][bad]") {
  check_messages({
      {"x.jsonl", "", "x.jsonl: has no rows"},
      {"x.jsonl", "\n \n", "x.jsonl: has no rows"},
      {"x.csv", "", "x.csv: is empty, a header line"},
      {"x.csv", "text,label\n", "x.csv: has no rows"},
      {"x.parquet", "PAR1", "x.parquet: the name does not say what form the data has; name it .jsonl"},
      {"x", "a", "x: the name does not say"},
      {"x.txt", "a\n", "x.txt: is a plain text file, rows with labels were expected"},
      {"x.csv", "\xff\xfet\0e\0"s, "x.csv: the text is UTF-16, expected UTF-8"},
      {"x.csv", "text,label,text\na,1,b\n", "x.csv: the column 'text' occurs twice (header)"},
      {"x.csv", "text,label\n\"a,1\nb,2\n", "x.csv:2:1: the quote that opens here is never closed"},
      {"x.csv", "te\0xt,label\na,1\n"s, "x.csv:1: a NUL character in the text (header)"},
      {"x.jsonl", "[{\"text\": \"a\", \"label\": 1}]",
       "x.jsonl:1: the line holds a list, a JSON object was expected; write one object a line"},
  });
  ReadReport report;
  CHECK_RAISES(read_examples({"/nowhere/x.jsonl"}, {}, RowKind::classification, report), data, "/nowhere/x.jsonl: ");
}

TEST_CASE("bad JSON rows are errors at their line", "[data][bad]") {
  check_messages({
      {"x.jsonl", kGood + "{\"text\": \"é\", \"la", "x.jsonl:2:18: not valid JSON: "},
      {"x.jsonl", kGood + "{\"text\": tru}", "x.jsonl:2:13: not valid JSON: "},
      {"x.jsonl", label_row("NaN"), "x.jsonl:1:24: not valid JSON: "},
      {"x.jsonl", R"({"text": "a"} {"text": "b"})", "x.jsonl:1:15: not valid JSON: "},
      {"x.jsonl", "\"a\"\n", "x.jsonl:1: the line holds the text 'a', a JSON object was expected"},
      {"x.jsonl", R"({"text": "a", "text": "b"})", "x.jsonl:1: 'text' occurs twice in the row"},
      {"x.jsonl", text_row(R"("a\u0000b")"), "x.jsonl:1: a text holds a NUL character"},
      {"x.jsonl", text_row("\"a\0b\""s), "x.jsonl:1:12: not valid JSON: "},
      {"x.jsonl", text_row(R"("\ud800")"), "x.jsonl:1:17: not valid JSON: "},
      {"x.jsonl", text_row("\"a\xc3\""), "x.jsonl:1:12: invalid UTF-8"},
      {"x.jsonl", label_row(std::string(64, '[') + std::string(64, ']')), "x.jsonl:1: nesting deeper than 64"},
      {"x.jsonl", label_row("1e999"), "x.jsonl:1:28: not valid JSON: number overflow"},
  });
}

TEST_CASE("bad table rows are errors at their line", "[data][bad]") {
  check_messages({
      {"x.csv", "text,label\na,1\nb\n", "x.csv:3: the row has 1 columns, the header has 2 (text, label)"},
      {"x.csv", "text,label\na, b,1\n", "x.csv:2: the row has 3 columns, the header has 2"},
      {"x.csv", "text,label\n\"a\"b,1\n", "x.csv:2:4: text follows a closing quote"},
      {"x.csv", "text,label\n\na\0b,1\n"s, "x.csv:3: a NUL character in the text (column 'text')"},
      {"x.tsv", "text\tlabel\na\xff\t1\n", "x.tsv:2: invalid UTF-8 at byte 2 (column 'text'); save the file as UTF-8"},
      {"x.csv", "text,label\n  ,1\n", "x.csv:2: column 'text' is empty"},
      {"x.csv", "text,label\na,\n", "x.csv:2: column 'label' is empty"},
  });
}

TEST_CASE("missing and wrong columns are errors that name what there is", "[data][bad]") {
  check_messages({
      {"x.csv", "txt,label\na,1\n",
       "x.csv:2: there is no column 'text', did you mean 'txt'? (columns: txt, label); "
       "name the right one in data.columns.text"},
      {"x.jsonl", R"({"text": "a", "intent": 1})",
       "x.jsonl:1: there is no column 'label' (columns: text, intent); name the right one in data.columns.label"},
      {"x.jsonl", text_row("null"), "x.jsonl:1: column 'text' holds null, a text was expected"},
      {"x.jsonl", label_row("null"),
       "x.jsonl:1: column 'label' holds null, a class (text or whole number) was expected"},
      {"x.jsonl", text_row("12.50"),
       "x.jsonl:1: column 'text' holds the number 12.50, a text was expected; "
       "write it in quotes, or build the text with data.template: {{text}}"},
      {"x.jsonl", text_row("[\"a\"]"), "x.jsonl:1: column 'text' holds a list, a text was expected"},
      {"x.jsonl", text_row("\" \\n\""), "x.jsonl:1: column 'text' is empty"},
  });
  check_messages({{"x.jsonl", kGood,
                   "x.jsonl:1: there is no column 'hypothesis' (columns: text, label); "
                   "name the right one in data.columns.text_pair"}},
                 RowKind::classification, options_with([](auto& o) { o.columns.text_pair = "hypothesis"; }));
}

TEST_CASE("bad weights, times, groups and templates are errors", "[data][bad]") {
  const auto row = [](const std::string& json) { return "{\"text\": \"a\", \"label\": 1, \"x\": " + json + "}"; };
  check_messages(
      {
          {"x.csv", "text,label,x\na,1,0\n", "x.csv:2: column 'x' holds the text '0', a weight above 0 was expected"},
          {"x.csv", "text,label,x\na,1,inf\n",
           "x.csv:2: column 'x' holds the text 'inf', a finite number was expected"},
          {"x.jsonl", row("\"2\""), "x.jsonl:1: column 'x' holds the text '2', a finite number was expected"},
      },
      RowKind::classification, options_with([](auto& o) { o.columns.weight = "x"; }));
  check_messages({{"x.csv", "text,label,x\na,1,31.01.2026\n",
                   "x.csv:2: column 'x' holds the text '31.01.2026', a number or a date like 2026-11-23"}},
                 RowKind::classification, options_with([](auto& o) { o.columns.time = "x"; }));
  check_messages({{"x.csv", "text,label,x\na,1,\n", "x.csv:2: column 'x' is empty (data.columns.group)"},
                  {"x.jsonl", row("null"), "x.jsonl:1: column 'x' holds null, a text or number was expected"}},
                 RowKind::classification, options_with([](auto& o) { o.columns.group = "x"; }));
  check_messages(
      {
          {"x.csv", "amount,label\n5,1\n",
           "x.csv:2: there is no column 'amuont', which data.template names, did you mean 'amount'? "
           "(columns: amount, label)"},
          {"x.jsonl", R"({"amuont": null, "label": 1})",
           "x.jsonl:1: column 'amuont' holds null, a text or number was expected (data.template)"},
      },
      RowKind::classification, options_with([](auto& o) { o.template_text = "{{amuont}}!"; }));
  CHECK_RAISES(RowTemplate("no column"), usage, "the template names no column (data.template)");
  CHECK_RAISES(RowTemplate("{{a}} {{b"), usage, "{{ without }} behind '{{a}} '");
  CHECK_RAISES(RowTemplate("{{ }}"), usage, "{{}} names no column");
  CHECK(RowTemplate("{{b}}{{a}} {{b}}").columns() == std::vector<std::string>{"b", "a"});
}

TEST_CASE("bad labels are errors", "[data][bad]") {
  const auto labels = [](const std::string& value) { return options_with([&](auto& o) { o.labels = value; }); };
  check_messages(
      {{"x.jsonl", label_row("1.5"),
        "x.jsonl:1: column 'label' holds the number 1.5, a class was expected; set data.labels to regression"},
       {"x.jsonl", label_row("[\"x\"]"), "x.jsonl:1: column 'label' holds a list, a class"}},
      RowKind::classification, labels("single"));
  check_messages(
      {{"x.jsonl", label_row("\"x\""), "x.jsonl:1: column 'label' holds the text 'x', a list of texts was expected"},
       {"x.csv", "text,label\na,x||y\n",
        "x.csv:2: column 'label' holds the text 'x||y', names with | between them was expected"}},
      RowKind::classification, labels("multi"));
  check_messages({{"x.csv", "text,label\na,much\n",
                   "x.csv:2: column 'label' holds the text 'much', a finite number was expected"}},
                 RowKind::classification, labels("regression"));
  check_messages({{"x.jsonl", label_row("[\"x\", null]"), "x.jsonl:1: column 'label[1]' holds null, a class"}});
}

TEST_CASE("bad ids are errors", "[data][bad]") {
  check_messages({
      {"x.jsonl", R"({"input_ids": [5, -1], "label": 1})",
       "x.jsonl:1: column 'input_ids[1]' holds the number -1, a token id from 0 on was expected"},
      {"x.jsonl", R"({"input_ids": [2147483648], "label": 1})",
       "x.jsonl:1: column 'input_ids[0]' holds the number 2147483648"},
      {"x.jsonl", R"({"input_ids": [], "label": 1})", "x.jsonl:1: column 'input_ids' is empty"},
      {"x.jsonl", R"({"input_ids": [5, 0], "attention_mask": [1, 0], "label": 1})",
       "x.jsonl:1: attention_mask is not one 1 for each of input_ids; write rows without padding"},
      {"x.jsonl", R"({"input_ids": [5, 0], "token_type_ids": [0], "label": 1})",
       "x.jsonl:1: token_type_ids has 1 numbers, input_ids has 2"},
  });
}

TEST_CASE("bad tags and answers are errors", "[data][bad]") {
  check_messages({{"x.jsonl", R"({"tokens": ["a", "b"], "ner_tags": ["O"]})",
                   "x.jsonl:1: column 'ner_tags' has 1 tags for the 2 words of 'tokens'"},
                  {"x.csv", "tokens,ner_tags\na b,O O\n",
                   "x.csv:2: column 'tokens' holds the text 'a b', a list of texts was expected"},
                  {"x.jsonl", R"({"tokens": [], "ner_tags": []})", "x.jsonl:1: column 'tokens' is empty"}},
                 RowKind::token_labels);
  const auto row = [](const std::string& answers) {
    return R"({"question": "q", "context": "Ann and Zoë", "answers": )" + answers + "}";
  };
  check_messages({{"x.jsonl", row(R"({"text": ["Zoë"], "answer_start": [7]})"),
                   "x.jsonl:1: the answer 'Zoë' does not stand at character 7 of the context, which reads ' Zoë'"},
                  {"x.jsonl", row(R"({"text": ["Zoë"], "answer_start": [99]})"),
                   "x.jsonl:1: the answer 'Zoë' does not stand at character 99"},
                  {"x.jsonl", row(R"({"text": ["Ann"]})"), "x.jsonl:1: column 'answers' lacks 'answer_start'"},
                  {"x.jsonl", row(R"({"text": ["Ann"], "answer_start": []})"),
                   "x.jsonl:1: column 'answers' has 1 texts and 0 starts"},
                  {"x.jsonl", row("\"Ann\""), "x.jsonl:1: column 'answers' holds the text 'Ann', an object"}},
                 RowKind::span_qa);
}

TEST_CASE("bad rows are counted and listed under skip", "[data][bad]") {
  const TemporaryFolder folder;
  const DataOptions options = options_with([](auto& o) { o.on_bad_row = "skip"; });
  std::string content = kGood + "{\n" + text_row("\"\"") + "\n" + label_row("2") + "\n";
  for (int i = 0; i < 30; ++i) content += "oops\n";
  ReadReport report;
  const auto rows = read_examples({folder.write("x.jsonl", content)}, options, RowKind::classification, report);
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].id == "3");  // its number in the file: the two rows before it are skipped
  CHECK(rows[1].origin.line == 4);
  CHECK(report.rows == 2);
  CHECK(report.skipped == 32);
  REQUIRE(report.skipped_rows.size() == ReadReport::kMaxListed);
  CHECK(report.skipped_rows[1].message == folder / "x.jsonl" + ":3: column 'text' is empty");

  const std::string table = folder.write("x.csv", "text,label\na,1\nb\n\"c\"d,1\ne,2\n");
  const auto of_both = read_examples({table, folder / "x.jsonl"}, options, RowKind::classification, report);
  REQUIRE(of_both.size() == 4);
  CHECK(of_both[1].id == "3");
  CHECK(of_both[3].id == "7");
  CHECK(report.skipped == 66);
  const std::string all_bad = folder.write("y.csv", "txt,label\na,1\nb,2\n");
  CHECK_RAISES(read_examples({all_bad}, options, RowKind::classification, report), data,
               "y.csv: has no usable row, 2 were skipped (the first: line 2: there is no column 'text'");
  const std::string one = folder.write("one.jsonl", "oops\n");
  CHECK_RAISES(read_examples({one}, options, RowKind::classification, report), data, "one.jsonl: has no usable row, 1 was skipped (the first: line 1:1: ");
  const std::string open = folder.write("z.csv", "text,label\na,1\n\"b,2\n");
  CHECK_RAISES(read_examples({open}, options, RowKind::classification, report), data, "never closed");
}

TEST_CASE("a line of more than 100 MB is an error", "[data][bad][slow]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("x.jsonl", kGood + text_row("\"" + std::string(100'000'001, 'a') + "\""));
  ReadReport report;
  CHECK_RAISES(read_examples({path}, {}, RowKind::classification, report), data,
               "x.jsonl:2: the line is longer than 100000000 bytes");
}
