// See columns.h.
#include "attune/data/columns.h"

#include <charconv>

#include "attune/base/strings.h"

namespace attune::data {

const Field& require(const Record& record, const Column& column) {
  const Field* field = record.columns.find(column.name);
  if (field != nullptr) return *field;
  throw BadRow(record.origin,
               concat("there is no column '", column.name, "'", did_you_mean(column.name, record.columns.keys)),
               "columns: " + list_names(record.columns.keys), concat("name the right one in ", column.option));
}

void wrong_field(const Record& record, std::string_view column, const Field& field, std::string_view expected,
                 std::string hint) {
  throw BadRow(record.origin, concat("column '", column, "' holds ", describe(field), ", ", expected, " was expected"),
               "", std::move(hint));
}

std::string text_of(const Record& record, const Column& column) {
  const Field& field = require(record, column);
  if (field.is_number() || field.is(Field::Kind::boolean)) {
    wrong_field(record, column.name, field, "a text",
                concat("write it in quotes, or build the text with data.template: {{", column.name, "}}"));
  }
  if (!field.is(Field::Kind::text)) wrong_field(record, column.name, field, "a text");
  if (trim(field.text).empty()) throw BadRow(record.origin, concat("column '", column.name, "' is empty"));
  return field.text;
}

std::string key_of(const Record& record, const Column& column) {
  const Field& field = require(record, column);
  if (!field.is(Field::Kind::text) && !field.is_number()) {
    wrong_field(record, column.name, field, "a text or number");
  }
  if (trim(field.text).empty()) {
    throw BadRow(record.origin, concat("column '", column.name, "' is empty"), std::string(column.option));
  }
  return field.text;
}

double number_of(const Record& record, std::string_view column, const Field& field) {
  const bool may_be_number = field.is_number() || (!record.typed && field.is(Field::Kind::text));
  double number = 0;
  if (!may_be_number || !parse_number(field.text, number)) wrong_field(record, column, field, "a finite number");
  return number;
}

std::string class_name(const Record& record, std::string_view column, const Field& field) {
  switch (field.kind) {
    case Field::Kind::text:
      if (trim(field.text).empty()) throw BadRow(record.origin, concat("column '", column, "' is empty"));
      return field.text;
    case Field::Kind::integer:
    case Field::Kind::boolean:
      return field.text;
    default:
      wrong_field(record, column, field, "a class (text or whole number)");
  }
}

std::vector<std::string> names_of(const Record& record, std::string_view column, const Field& field) {
  if (!field.is(Field::Kind::list)) wrong_field(record, column, field, "a list of texts");
  std::vector<std::string> names;
  names.reserve(field.items.size());
  for (const Field& item : field.items)
    names.push_back(class_name(record, concat(column, "[", names.size(), "]"), item));
  return names;
}

std::vector<std::int32_t> ids_of(const Record& record, std::string_view column, const Field& field) {
  if (!field.is(Field::Kind::list)) wrong_field(record, column, field, "a list of whole numbers");
  std::vector<std::int32_t> ids;
  ids.reserve(field.items.size());
  for (const Field& item : field.items) {
    std::int32_t id = -1;
    const char* end = item.text.data() + item.text.size();
    const auto parsed = std::from_chars(item.text.data(), end, id);
    if (!item.is(Field::Kind::integer) || parsed.ec != std::errc() || parsed.ptr != end || id < 0) {
      wrong_field(record, concat(column, "[", ids.size(), "]"), item, "a token id from 0 on");
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace attune::data
