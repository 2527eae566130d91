// The rows of a comparison. See attune/study/method.h.
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/data/read.h"
#include "attune/job/prepare.h"
#include "attune/study/method.h"
#include "job/subset.h"

namespace attune::study {

namespace {

[[noreturn]] void refuse_rows(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = where, .hint = hint});
}

void check_files(const data::DataOptions& options) {
  for (const auto& [split, paths] : {std::pair{"validation", &options.validation}, {"test", &options.test}}) {
    if (!paths->empty()) continue;
    refuse_rows(concat("methods are compared on files of rows that none of them learns from, and there are no ", split, " rows"),
                concat("data.", split), concat(R"(name a file: "data": {")", split, R"(": ")", split, R"(.jsonl"})"));
  }
}

}  // namespace

const std::vector<data::Example>& MethodRows::of(const std::string& split) const {
  return split == "test" ? test : validation;
}

MethodRows read_method_rows(const job::RunOptions& run) {
  data::DataOptions options = run.data;
  check_files(options);
  MethodRows rows;
  data::ReadReport report;
  files::LongList<data::Example> train = data::read_examples(options.train, options, data::RowKind::classification, report);
  rows.labels = data::collect_labels(train);
  if (rows.labels.kind != data::TargetKind::single) {
    refuse_rows(concat("the label column holds ", data::describe(rows.labels.kind), "; methods are compared on one class a row"),
                "data.columns.label", "name another column, or set data.labels to single");
  }
  job::place_positive_label(rows.labels, options.positive_label);
  job::take_subset(options, rows.labels, train);
  rows.train = std::move(train.values());
  options.labels = data::labels_setting(rows.labels.kind);
  for (const auto& [paths, examples] : {std::pair{&options.validation, &rows.validation}, {&options.test, &rows.test}}) {
    *examples = data::read_examples(*paths, options, data::RowKind::classification, report);
    data::check_labels(*examples, rows.labels, options.on_bad_row, report);
  }
  if (report.skipped > 0) log::warning(concat(report.skipped, " bad rows were passed over (data.on_bad_row)"));
  return rows;
}

std::vector<std::int64_t> gold_of(const data::LabelMap& labels, const std::vector<data::Example>& rows) {
  std::vector<std::int64_t> gold;
  for (const data::Example& row : rows) gold.push_back(data::class_id(labels, row));
  return gold;
}

Workbench make_workbench(const job::RunOptions& options) {
  Workbench bench;
  bench.rows = read_method_rows(options);
  bench.shared.seals_test = true;
  bench.resumes = !options.resume_from_checkpoint.empty();
  return bench;
}

}  // namespace attune::study
