// One row of a file before its columns mean anything: named fields that keep the spelling of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/base/error.h"
#include "attune/data/example.h"

namespace attune::data {

/// A cell of a table or a value of a JSON row. Numbers stay text, so that a template renders 1.50 as 1.50.
struct Field {
  enum class Kind { null, boolean, integer, real, text, list, object };

  Kind kind = Kind::null;
  std::string text;               ///< text: its characters; boolean, integer, real: as written in the file
  std::vector<Field> items;       ///< of a list or object
  std::vector<std::string> keys;  ///< of an object: the name of each item

  bool is(Kind wanted) const { return kind == wanted; }
  bool is_number() const { return kind == Kind::integer || kind == Kind::real; }
  /// The item of an object that has this name, or nullptr.
  const Field* find(std::string_view name) const;
};

struct Record {
  Origin origin;
  bool typed = true;  ///< false for CSV and TSV, where every field is text
  Field columns;      ///< an object
};

/// "intents.jsonl:17", as errors name a row.
std::string place_of(const Origin& origin);

/// An error that concerns one row only: `on_bad_row: skip` passes over it. Its file part is "intents.jsonl:17", or "intents.jsonl:17:4"
/// where the column of the line is known.
class BadRow : public Error {
 public:
  BadRow(const Origin& origin, std::string what, std::string where = "", std::string hint = "", std::size_t column = 0);

  const Origin& origin() const { return origin_; }

 private:
  Origin origin_;
};

/// "the text 'abc'", "the number 12", "null", "a list", for messages; long text is cut.
std::string describe(const Field& field);
/// The text in single quotes, cut after 40 code points.
std::string in_quotes(std::string_view text);
/// The finite number that the whole text spells (blanks around it allowed); false when it does not.
bool parse_number(std::string_view text, double& number);
/// The nearest of `candidates` as ", did you mean 'x'?", or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);
/// "a, b, c" of at most ten names, then their count.
std::string list_names(const std::vector<std::string>& names);

}  // namespace attune::data
