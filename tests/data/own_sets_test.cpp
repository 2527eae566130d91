// The project's own data sets read without a flaw, have the rows their notes promise, and leak nothing between their
// files.
#include <map>
#include <set>

#include "attune/data/labels.h"
#include "attune/data/overlap.h"
#include "attune/data/read.h"
#include "catch.h"

namespace {

using namespace attune::data;

std::vector<Example> read_own(const std::string& name, const DataOptions& options = {},
                          RowKind kind = RowKind::classification) {
  ReadReport report;
  return read_examples({ATTUNE_SOURCE_DIR "/data/" + name}, options, kind, report);
}

std::int64_t shared_texts(const std::vector<Example>& a, const std::vector<Example>& b) {
  std::int64_t rows = 0;
  for (const Overlap& overlap : find_overlaps(std::vector<NamedSplit>{{"a", a}, {"b", b}})) {
    if (overlap.first != overlap.second) rows += overlap.rows;
  }
  return rows;
}

std::map<std::string, int> class_counts(const std::vector<Example>& rows) {
  std::map<std::string, int> counts;
  for (const Example& row : rows) ++counts[std::get<ClassLabel>(row.target).name];
  return counts;
}

}  // namespace

TEST_CASE("the intents have 16 even classes in each file", "[data][sets]") {
  const auto train = read_own("intents/train.jsonl");
  const auto test = read_own("intents/test.jsonl");
  CHECK(train.size() == 736);
  CHECK(read_own("intents/validation.jsonl").size() == 160);
  CHECK(test.size() == 288);
  CHECK(collect_labels(train).names.size() == 16);
  for (const auto& [name, count] : class_counts(test)) CHECK(count == 18);
  CHECK(shared_texts(train, test) == 0);
}

TEST_CASE("the transactions are ordered by time and hold 3 % of fraud", "[data][sets]") {
  DataOptions options;
  options.template_text = "{{amount}} {{currency}} at {{merchant}}, {{channel}}, {{minutes_since_last}}";
  options.columns.id = "transaction_id";
  options.columns.group = "account";
  options.columns.time = "timestamp";
  const auto train = read_own("transactions/train.csv", options);
  const auto test = read_own("transactions/test.csv", options);
  REQUIRE(train.size() == 3000);
  REQUIRE(test.size() == 1000);
  CHECK(class_counts(train)["fraud"] + class_counts(test)["fraud"] == 120);
  CHECK(class_counts(test)["fraud"] >= 20);
  CHECK(*train.back().time <= *test.front().time);
}

TEST_CASE("no patient has triage notes in both files", "[data][sets]") {
  DataOptions options;
  options.columns.text = "note";
  options.columns.label = "outcome";
  options.columns.group = "patient";
  options.columns.time = "visit_date";
  const auto train = read_own("triage/train.jsonl", options);
  const auto test = read_own("triage/test.jsonl", options);
  CHECK(train.size() + test.size() == 877);
  CHECK(collect_labels(train).names.size() == 4);
  std::set<std::string> patients;
  for (const Example& row : train) patients.insert(*row.group);
  for (const Example& row : test) CHECK(patients.count(*row.group) == 0);
  CHECK(patients.size() == 256);
  CHECK(shared_texts(train, test) == 0);
}

TEST_CASE("the small sets for the other heads are read", "[data][sets]") {
  const auto words = read_own("entities/train.jsonl", {}, RowKind::token_labels);
  CHECK(words.size() == 320);
  CHECK(collect_labels(words).names.size() == 9);
  CHECK(shared_texts(words, read_own("entities/test.jsonl", {}, RowKind::token_labels)) == 0);
  const auto questions = read_own("faq_qa/train.jsonl", {}, RowKind::span_qa);
  CHECK(questions.size() == 172);
  CHECK(shared_texts(questions, read_own("faq_qa/validation.jsonl", {}, RowKind::span_qa)) == 0);
  CHECK(read_own("domain_text/train.txt", {}, RowKind::masked_lm).size() == 400);
}
