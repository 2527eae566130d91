// See row_template.h.
#include "attune/data/row_template.h"

#include <algorithm>

#include "attune/base/strings.h"

namespace attune::data {

namespace {

[[noreturn]] void bad_template(std::string what, std::string hint) {
  throw Error(ErrorKind::usage,
              {.file = "", .what = std::move(what), .where = "data.template", .hint = std::move(hint)});
}

}  // namespace

RowTemplate::RowTemplate(std::string_view text) {
  std::size_t begin = 0;
  while (true) {
    const std::size_t open = text.find("{{", begin);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) {
      bad_template(concat("{{ without }} behind ", in_quotes(text.substr(0, open))), "close it, as in {{column}}");
    }
    const std::string_view column = trim(text.substr(open + 2, close - open - 2));
    if (column.empty()) bad_template("{{}} names no column", "write the name of a column between the braces");
    parts_.push_back({std::string(text.substr(begin, open - begin)), std::string(column)});
    begin = close + 2;
  }
  if (parts_.empty()) bad_template("the template names no column", "write columns as {{column}}");
  parts_.push_back({std::string(text.substr(begin)), ""});
}

std::string RowTemplate::render(const Record& record) const {
  std::string text;
  for (const Part& part : parts_) {
    text += part.literal;
    if (part.column.empty()) continue;
    const Field* field = record.columns.find(part.column);
    if (field == nullptr) {
      throw BadRow(record.origin,
                   concat("there is no column '", part.column, "', which data.template names",
                          did_you_mean(part.column, record.columns.keys)),
                   "columns: " + list_names(record.columns.keys));
    }
    if (field->is(Field::Kind::null) || field->is(Field::Kind::list) || field->is(Field::Kind::object)) {
      throw BadRow(record.origin,
                   concat("column '", part.column, "' holds ", describe(*field), ", a text or number was expected"),
                   "data.template");
    }
    text += field->text;
  }
  return text;
}

std::vector<std::string> RowTemplate::columns() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    if (part.column.empty() || std::find(names.begin(), names.end(), part.column) != names.end()) continue;
    names.push_back(part.column);
  }
  return names;
}

}  // namespace attune::data
