// Text and numbers of the report page; everything that comes from outside goes through escape_html.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "attune/files/json.h"

namespace attune::report {

/// & < > " ' as entities; control characters and ill-formed UTF-8 become U+FFFD.
std::string escape_html(std::string_view text);
/// The same of sentences of our own, in which no line breaks between a number and its %.
std::string sentence_html(std::string_view text);

/// 0.91234 → "0.912"; whole numbers with thin spaces between thousands; large and tiny ones with an exponent.
std::string metric_text(double value);
/// 12345.0 → "12 345".
std::string count_text(double value);
/// 0.4321 → "43.2 %", with a no-break space.
std::string percent(double share);
/// 0.4321 → "43 %", with a no-break space.
std::string whole_percent(double share);
/// The number, or `otherwise` for a value that is none.
double number_or(const files::Json& value, double otherwise);
/// A JSON value as a person writes it: strings bare, null as "–", lists with commas, the rest as JSON. Not escaped.
std::string value_text(const files::Json& value);

/// "f1_macro" → "F1, macro"; unknown names with blanks for underscores. With the unit, for which `metrics` are those beside it.
std::string metric_label(const std::string& name, const files::Json& metrics);

/// <table>; the cells are HTML already. All columns but the first `text_columns` are figures when `figures`.
struct HtmlTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  bool figures = true;
  std::size_t text_columns = 1;
  bool is_wide = false;  ///< many columns: intervals and shares go below their numbers
};
std::string html_table(const HtmlTable& table);

/// The member at `path`, or a null value.
const files::Json& member(const files::Json& object, std::initializer_list<const char*> path);

}  // namespace attune::report
