// See read.h.
#include "attune/data/read.h"

#include <cmath>
#include <filesystem>
#include <optional>

#include "attune/base/strings.h"
#include "attune/data/example_builder.h"
#include "attune/data/record_reader.h"
#include "attune/files/storage.h"

namespace attune::data {

namespace {

/// Reads files one after another and keeps what `labels: auto` needs to decide at the end.
class Reader {
 public:
  Reader(const DataOptions& options, RowKind kind, LabelNeed need, ReadReport& report, files::LongList<Example>& examples)
      : options_(options), kind_(kind), need_(need), report_(report), builder_(options, kind, need), examples_(examples) {}

  void read_file(const std::string& path) {
    require_file(path);
    check_form(path);
    first_skipped_.reset();
    const std::size_t rows_before = examples_.size();
    const std::int64_t skipped_before = report_.skipped;
    const auto records = open_records(path, options_.text_unit);
    while (read_row(*records)) {
    }
    if (examples_.size() > rows_before) return;
    if (!first_skipped_) throw Error(ErrorKind::data, {.file = path, .what = "has no rows", .where = "", .hint = ""});
    throw no_usable_row({path}, report_.skipped - skipped_before, *first_skipped_);
  }

  void finish() {
    if (options_.labels == "auto" && (has_fraction_ ? has_numbered_class_ : has_whole_value_)) decide_numbers();
    report_.rows += static_cast<std::int64_t>(examples_.size());
  }

 private:
  void check_form(const std::string& path) const {
    const bool text_is_enough =
        kind_ == RowKind::masked_lm || kind_ == RowKind::language || (kind_ == RowKind::classification && need_ != LabelNeed::required);
    if (!is_plain_text(path) || text_is_enough) return;
    throw Error(ErrorKind::data, {.file = path,
                                  .what = "is a plain text file, rows with labels were expected",
                                  .where = "",
                                  .hint = "give .jsonl, .csv or .tsv"});
  }

  /// False at the end of the file.
  bool read_row(RecordReader& records) {
    const std::int64_t row = rows_seen_++;
    try {
      Record record;
      if (!records.next(record)) {
        --rows_seen_;
        return false;
      }
      const Field* label = record.columns.find(options_.columns.label);
      Example example = builder_.build(record, row);
      example.label_is_number = label != nullptr && label->is_number();
      note(example);
      examples_.push_back(std::move(example));
    } catch (const BadRow& error) {
      if (options_.on_bad_row != "skip") throw;
      const SkippedRow skipped = {.origin = error.origin(), .message = error.what()};
      if (!first_skipped_) first_skipped_ = skipped;
      report_.add_skipped(skipped);
    }
    return true;
  }

  void note(const Example& example) {
    if (const Value* value = std::get_if<Value>(&example.target)) {
      (value->value == std::floor(value->value) ? has_whole_value_ : has_fraction_) = true;
    } else {
      has_numbered_class_ = has_numbered_class_ || example.label_is_number;
    }
  }

  /// One number with a fraction makes every number a value; without any, 3.0 is the class "3" as 3 is.
  void decide_numbers() {
    examples_.edit([this](Example& example) {
      Target& target = example.target;
      if (!example.label_is_number) return;
      if (const auto* name = std::get_if<ClassLabel>(&target); name != nullptr && has_fraction_) {
        double number = 0;
        parse_number(name->name, number);
        target = Value{number};
      } else if (const auto* value = std::get_if<Value>(&target); value != nullptr && !has_fraction_) {
        target = ClassLabel{format_number(value->value)};
      }
    });
  }

  const DataOptions& options_;
  RowKind kind_;
  LabelNeed need_;
  ReadReport& report_;
  ExampleBuilder builder_;
  files::LongList<Example>& examples_;
  std::int64_t rows_seen_ = 0;  ///< of all files, bad ones too: rows keep their numbers where others are skipped
  bool has_fraction_ = false, has_whole_value_ = false, has_numbered_class_ = false;
  std::optional<SkippedRow> first_skipped_;  ///< of the file at hand
};

}  // namespace

void ReadReport::add_skipped(SkippedRow row) {
  ++skipped;
  if (skipped_rows.size() < kMaxListed) skipped_rows.push_back(std::move(row));
}

Error no_usable_row(const std::vector<std::string>& files, std::int64_t skipped, const SkippedRow& first) {
  std::string row = first.message;
  const std::string place = place_of(first.origin);  // the file is named already where it is the only one
  if (files.size() == 1 && row.starts_with(place)) row = concat("line ", first.origin.line, row.substr(place.size()));
  return {ErrorKind::data, {.file = join(files, ", "),
                            .what = concat(files.size() == 1 ? "has" : "have", " no usable row, ", skipped, skipped == 1 ? " was" : " were", " skipped"),
                            .where = "the first: " + row,
                            .hint = ""}};
}

std::vector<Example> read_examples(const std::vector<std::string>& files, const DataOptions& options, RowKind kind,
                                   ReadReport& report, LabelNeed need) {
  files::LongList<Example> examples;
  read_examples(files, options, kind, report, need, examples);
  return std::move(examples.values());
}

void read_examples(const std::vector<std::string>& files, const DataOptions& options, RowKind kind, ReadReport& report,
                   LabelNeed need, files::LongList<Example>& examples) {
  Reader reader(options, kind, need, report, examples);
  for (const std::string& file : files) reader.read_file(file);
  reader.finish();
}

std::string labels_setting(TargetKind kind) {
  switch (kind) {
    case TargetKind::single:
      return "single";
    case TargetKind::multi:
      return "multi";
    case TargetKind::value:
      return "regression";
    default:
      return "auto";
  }
}

std::string fingerprint_files(const std::vector<std::string>& files) {
  std::string listing;
  for (const std::string& file : files) {
    const std::string hash = files::sha256_file(file, ErrorKind::data);
    listing += concat(hash, "  ", std::filesystem::path(file).filename().string(), "\n");
  }
  return files::sha256_hex(listing);
}

}  // namespace attune::data
