// Reads one Record as an Example. Part of the readers (read.h), on its own so that it can be tested without files.
#pragma once

#include <optional>
#include <string>

#include "attune/data/read.h"
#include "attune/data/record.h"
#include "attune/data/row_template.h"

namespace attune::data {

class ExampleBuilder {
 public:
  /// Error{usage} for a bad template. `options` must outlive the builder.
  ExampleBuilder(const DataOptions& options, RowKind kind, LabelNeed need);

  /// The row numbered `row`; throws BadRow.
  Example build(const Record& record, std::int64_t row) const;

 private:
  void read_text(const Record& record, Example& example) const;
  void read_ids(const Record& record, Example& example) const;
  void read_words(const Record& record, Example& example) const;
  void read_question(const Record& record, Example& example) const;
  void read_language(const Record& record, Example& example) const;
  void check_beginning(const Record& record) const;
  void check_layout(const Record& record) const;
  void read_keys(const Record& record, Example& example) const;
  void keep_columns(const Record& record, Example& example) const;
  Target read_label(const Record& record, const Field& label) const;
  /// The column's field where the row has one with a value, or nullptr where it is optional and missing.
  const Field* label_field(const Record& record, const std::string& column, std::string_view option) const;

  const DataOptions& options_;
  RowKind kind_;
  LabelNeed need_;
  std::optional<RowTemplate> template_;
};

}  // namespace attune::data
