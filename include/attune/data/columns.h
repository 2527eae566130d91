// Single columns of a Record read as text, number, list; every error names the column and the option that chose it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/record.h"

namespace attune::data {

/// A column and the option that names it, for messages: {"note", "data.columns.text"}.
struct Column {
  const std::string& name;
  std::string_view option;
};

/// BadRow when the row lacks the column, with the columns that exist and the nearest one.
const Field& require(const Record& record, const Column& column);
/// BadRow "column 'x' holds <field>, <expected> was expected".
[[noreturn]] void wrong_field(const Record& record, std::string_view column, const Field& field,
                              std::string_view expected, std::string hint = "");

/// A text with at least one character that is not blank.
std::string text_of(const Record& record, const Column& column);
/// A text or whole number that is not empty: id, group, time.
std::string key_of(const Record& record, const Column& column);
/// A finite number; in untyped records the text must spell one.
double number_of(const Record& record, std::string_view column, const Field& field);
/// The name of a class: a text that is not empty, a whole number (decimal digits), a boolean.
std::string class_name(const Record& record, std::string_view column, const Field& field);
/// A list of class names.
std::vector<std::string> names_of(const Record& record, std::string_view column, const Field& field);
/// A list of whole numbers >= 0.
std::vector<std::int32_t> ids_of(const Record& record, std::string_view column, const Field& field);

}  // namespace attune::data
