// See read_splits.h.
#include "job/read_splits.h"

#include <nlohmann/json.hpp>

#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/data/split.h"
#include "job/data_summary.h"
#include "job/subset.h"
#include "job/wording.h"

namespace attune::job {

namespace {

using files::Json;

/// Whether training rows are read one after another and by number alone, so that they may lie in a file. Drawing splits
/// and folds looks at all of them at once, and so do examples in front of rows and several wordings of each.
bool may_lie_in_file(const RunOptions& options) {
  const bool shows_examples = !options.data.prompts.empty() && options.prompting.examples.k > 0;
  const bool looks_at_all = shows_examples || !options.data.train_wordings.empty();
  return !options.cross_validation.enabled && options.data.val_size == 0 && options.data.test_size == 0 &&
         !looks_at_all;
}

/// As the rows of the run are read.
data::RowKind kind_of_rows(const Prepared& prepared) {
  return prepared.asks_labels() ? data::RowKind::classification : job::row_kind(prepared.kind);
}

void limit_memory(Prepared& prepared) {
  if (!may_lie_in_file(prepared.options)) return;
  const std::string place = nearest_place(prepared.options.output_dir);
  const auto bytes = static_cast<std::size_t>(prepared.options.data.rows_in_memory_mib) << 20;
  prepared.train.examples.spill_to(place, bytes);
  prepared.train.encoded.spill_to(place, bytes);
}

std::vector<data::Example> take(std::vector<data::Example>& examples, const data::Rows& rows) {
  std::vector<data::Example> taken;
  taken.reserve(rows.size());
  for (const std::int64_t i : rows) taken.push_back(std::move(examples[i]));
  return taken;
}

}  // namespace

data::DataOptions data_options(const Prepared& prepared) {
  const RunOptions& options = prepared.options;
  data::DataOptions data = options.data;
  data.kept_columns = columns_of(prepared.asked, options);
  if (options.cross_validation.enabled && options.cross_validation.group_column)
    data.columns.group = options.cross_validation.group_column;
  return data;
}

void read_splits(Prepared& prepared, Skipped& skipped) {
  data::DataOptions options = data_options(prepared);
  limit_memory(prepared);
  const bool needs_label = prepared.asks_labels() || !models::models_language(prepared.kind);
  const data::LabelNeed need = needs_label ? data::LabelNeed::required : data::LabelNeed::optional;
  const data::RowKind kind = kind_of_rows(prepared);
  data::read_examples(options.train, options, kind, skipped["train"], need, prepared.train.examples);
  prepared.labels = data::collect_labels(prepared.train.examples);
  for (const auto& [first, second] : data::look_alike_names(prepared.labels)) {
    log::warning(concat("the labels '", first, "' and '", second, "' differ only in case or blanks"));
  }
  if (kind == data::RowKind::classification) options.labels = data::labels_setting(prepared.labels.kind);
  const auto read_more = [&](const std::vector<std::string>& paths, const char* split) {
    if (paths.empty()) return std::vector<data::Example>();
    std::vector<data::Example> examples = data::read_examples(paths, options, kind, skipped[split], need);
    data::check_labels(examples, prepared.labels, options.on_bad_row, skipped[split]);
    return examples;
  };
  prepared.validation.examples = read_more(options.validation, "validation");
  prepared.test.examples = read_more(options.test, "test");
}

void number_rows(Prepared& prepared) {
  std::int64_t row = 0;
  for (const auto& [name, rows] : named_splits(prepared)) {
    files::LongList<data::Example>& examples = rows->examples;
    if (examples.empty()) continue;
    const auto count = static_cast<std::int64_t>(examples.size());
    const bool are_numbered = examples.get(0)->row == row && examples.get(examples.size() - 1)->row == row + count - 1;
    if (!are_numbered) examples.edit([next = row](data::Example& example) mutable { example.row = next++; });
    row += count;
  }
  prepared.unlabelled.examples.edit([&](data::Example& example) { example.row = row++; });
}

void hold_out(Prepared& prepared) {
  const data::DataOptions& options = prepared.options.data;
  if (options.val_size > 0 || options.test_size > 0) {
    const std::uint64_t seed = options.split_seed.value_or(prepared.options.seeds.front());
    const data::Splits splits = data::make_splits(data::split_keys(prepared.train.examples), options, seed);
    std::vector<data::Example> all = std::move(prepared.train.examples.values());
    if (!splits.validation.empty()) prepared.validation.examples = take(all, splits.validation);
    if (!splits.test.empty()) prepared.test.examples = take(all, splits.test);
    prepared.train.examples = take(all, splits.train);
  }
  const Json subset = take_subset(options, prepared.labels, prepared.train.examples);
  if (!subset.is_null()) prepared.data_summary["subset"] = subset;
  for (const auto& [name, rows] : named_splits(prepared)) {
    if (!rows->empty()) prepared.data_summary["splits"][name]["rows"] = rows->examples.size();
  }
}

}  // namespace attune::job
