// See record.h.
#include "attune/data/record.h"

#include <charconv>
#include <cmath>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"

namespace attune::data {

const Field* Field::find(std::string_view name) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == name) return &items[i];
  }
  return nullptr;
}

std::string place_of(const Origin& origin) { return concat(origin.file, ":", origin.line); }

BadRow::BadRow(const Origin& origin, std::string what, std::string where, std::string hint, std::size_t column)
    : Error(ErrorKind::data, {.file = column == 0 ? place_of(origin) : concat(place_of(origin), ":", column),
                              .what = std::move(what),
                              .where = std::move(where),
                              .hint = std::move(hint)}),
      origin_(origin) {}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::size_t end = 0;
  for (std::size_t points = 0; end < text.size(); ++end) {
    const bool starts_code_point = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts_code_point && points++ == kLongest) return concat("'", text.substr(0, end), "…'");
  }
  return concat("'", text, "'");
}

std::string describe(const Field& field) {
  switch (field.kind) {
    case Field::Kind::null:
      return "null";
    case Field::Kind::boolean:
      return field.text;
    case Field::Kind::integer:
    case Field::Kind::real:
      return "the number " + field.text;
    case Field::Kind::text:
      return "the text " + in_quotes(field.text);
    case Field::Kind::list:
      return "a list";
    case Field::Kind::object:
      return "an object";
  }
  internal_error("unknown kind of field");
}

bool parse_number(std::string_view text, double& number) {
  text = trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? "" : concat(", did you mean '", nearest, "'?");
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  if (names.size() <= kMost) return join(names, ", ");
  return concat(join({names.begin(), names.begin() + kMost}, ", "), ", … ", names.size(), " in all");
}

}  // namespace attune::data
