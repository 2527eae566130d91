// The option data.template: a text with {{column}} in it, filled from the columns of a row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/data/record.h"

namespace attune::data {

/// RowTemplate("{{amount}} at {{merchant}}").render(record) == "12.50 at Kiosk". Numbers appear as the file writes
/// them.
class RowTemplate {
 public:
  /// Error{usage} for an opened {{ without }}, an empty name, and a template that names no column.
  explicit RowTemplate(std::string_view text);

  /// BadRow for a column that is missing, null, a list or an object.
  std::string render(const Record& record) const;
  /// The columns in the order of their first occurrence.
  std::vector<std::string> columns() const;

 private:
  struct Part {
    std::string literal;  ///< stands before the column
    std::string column;   ///< "" in the last part
  };
  std::vector<Part> parts_;
};

}  // namespace attune::data
