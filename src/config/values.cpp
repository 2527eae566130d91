// See values.h. One JSON number type: 3.0 is a whole number, as JSON Schema has it.
#include "values.h"

#include <algorithm>
#include <cmath>

#include <regex.h>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::config {

namespace {

constexpr std::size_t kMaxPatternText = 1000;  // std::regex recurses with the length of the text

std::string with_range(const std::string& noun, const Field& field) {
  const std::string words = field.range.words();
  return words.empty() ? noun : concat(noun, " ", words);
}

/// The number as a whole one, or nothing when it is none or does not fit.
std::optional<std::int64_t> whole_number(const Json& json) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (!json.is_number_float()) return std::nullopt;
  const auto value = json.get<double>();
  if (value != std::floor(value) || std::abs(value) > 9007199254740992.0) return std::nullopt;  // 2^53
  return static_cast<std::int64_t>(value);
}

void add_range(Json& schema, const Range& range) {
  if (std::isfinite(range.min))
    schema[range.min_excluded ? "exclusiveMinimum" : "minimum"] = Codec<double>::write(range.min);
  if (std::isfinite(range.max))
    schema[range.max_excluded ? "exclusiveMaximum" : "maximum"] = Codec<double>::write(range.max);
}

}  // namespace

bool Codec<bool>::read(const Json& json, bool& value, const Field&) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}

std::string Codec<double>::words(const Field& field) {
  return with_range("a number", field);
}

bool Codec<double>::read(const Json& json, double& value, const Field& field) {
  if (!json.is_number() || !field.range.contains(json.get<double>())) return false;
  value = json.get<double>();
  return true;
}

Json Codec<double>::write(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

Json Codec<double>::schema(const Field& field) {
  Json schema = {{"type", "number"}};
  if (!field.range.whole_from_one) {
    add_range(schema, field.range);
    return schema;
  }
  Json part = {{"type", "number"}, {"exclusiveMaximum", 1}};
  add_range(part, {.min = field.range.min, .min_excluded = field.range.min_excluded});
  return {{"anyOf", {std::move(part), {{"type", "integer"}, {"minimum", 1}, {"maximum", Codec<double>::write(field.range.max)}}}}};
}

std::string Codec<std::int64_t>::words(const Field& field) {
  return with_range("a whole number", field);
}

bool Codec<std::int64_t>::read(const Json& json, std::int64_t& value, const Field& field) {
  const auto number = whole_number(json);
  if (!number || !field.range.contains(static_cast<double>(*number))) return false;
  value = *number;
  return true;
}

Json Codec<std::int64_t>::schema(const Field& field) {
  Json schema = {{"type", "integer"}};
  add_range(schema, field.range);
  return schema;
}

bool Codec<std::uint64_t>::read(const Json& json, std::uint64_t& value, const Field&) {
  if (json.is_number_unsigned()) {
    value = json.get<std::uint64_t>();
    return true;
  }
  const auto number = whole_number(json);
  if (!number || *number < 0) return false;
  value = static_cast<std::uint64_t>(*number);
  return true;
}

std::string Codec<std::string>::words(const Field& field) {
  if (!field.pattern_words.empty()) return std::string(field.pattern_words);
  if (field.choices.empty()) return "a text";
  std::vector<std::string> quoted;
  for (const auto choice : field.choices) {
    const bool literal = std::any_of(field.literals.begin(), field.literals.end(),
                                     [&](const Literal& literal) { return literal.json == choice; });
    quoted.push_back(literal ? std::string(choice) : concat('"', choice, '"'));
  }
  return "one of " + join(quoted, ", ");
}

namespace {

/// POSIX extended regular expression over the whole text; the patterns are our own, so they compile.
bool matches_whole(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  if (regcomp(&compiled, ("^(" + pattern + ")$").c_str(), REG_EXTENDED | REG_NOSUB) != 0) internal_error("bad pattern " + pattern);
  const bool matches = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matches;
}

}  // namespace

bool Codec<std::string>::read(const Json& json, std::string& value, const Field& field) {
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  if (!field.choices.empty() && std::find(field.choices.begin(), field.choices.end(), text) == field.choices.end()) {
    return false;
  }
  if (!field.pattern.empty()) {
    if (text.size() > kMaxPatternText || !matches_whole(text, std::string(field.pattern))) return false;
  }
  value = text;
  return true;
}

Json Codec<std::string>::schema(const Field& field) {
  Json schema = {{"type", "string"}};
  if (!field.choices.empty()) schema["enum"] = field.choices;
  if (!field.pattern.empty()) schema["pattern"] = concat("^(", field.pattern, ")$");
  if (field.required) schema["minLength"] = 1;
  return schema;
}

std::string Codec<std::map<std::string, double>>::words(const Field& field) {
  return with_range("an object of numbers", field);
}

bool Codec<std::map<std::string, double>>::read(const Json& json, std::map<std::string, double>& value,
                                                const Field& field) {
  if (!json.is_object()) return false;
  value.clear();
  for (const auto& [key, element] : json.items()) {
    if (!Codec<double>::read(element, value[key], field)) return false;
  }
  return true;
}

Json Codec<std::map<std::string, double>>::write(const std::map<std::string, double>& value) {
  Json object = Json::object();
  for (const auto& [key, number] : value) object[key] = Codec<double>::write(number);
  return object;
}

Json Codec<std::map<std::string, double>>::schema(const Field& field) {
  return {{"type", "object"}, {"additionalProperties", Codec<double>::schema(field)}};
}

std::string Codec<ChoiceOrNumbers>::words(const Field& field) {
  return concat(Codec<std::string>::words(field), ", or ", Codec<std::map<std::string, double>>::words(field));
}

bool Codec<ChoiceOrNumbers>::read(const Json& json, ChoiceOrNumbers& value, const Field& field) {
  if (!json.is_object()) {
    value.numbers.clear();
    return Codec<std::string>::read(json, value.choice, field);
  }
  value.choice = "given";
  return Codec<std::map<std::string, double>>::read(json, value.numbers, field);
}

Json Codec<ChoiceOrNumbers>::write(const ChoiceOrNumbers& value) {
  if (value.choice != "given") return value.choice;
  return Codec<std::map<std::string, double>>::write(value.numbers);
}

Json Codec<ChoiceOrNumbers>::schema(const Field& field) {
  return {{"anyOf", {Codec<std::string>::schema(field), Codec<std::map<std::string, double>>::schema(field)}}};
}

bool Codec<files::NamesOrPattern>::read(const Json& json, files::NamesOrPattern& value, const Field& field) {
  value = {};
  if (json.is_null()) return true;
  if (json.is_string()) return Codec<std::string>::read(json, value.pattern, field);
  value.is_empty_list = json.is_array() && json.empty();
  return json.is_array() && Codec<std::vector<std::string>>::read(json, value.names, field);
}

Json Codec<files::NamesOrPattern>::write(const files::NamesOrPattern& value) {
  if (value.is_empty_list) return Json::array();
  if (value.empty()) return nullptr;
  return value.pattern.empty() ? Json(value.names) : Json(value.pattern);
}

Json Codec<files::NamesOrPattern>::schema(const Field&) {
  return {{"anyOf", {{{"type", "array"}, {"items", {{"type", "string"}}}}, {{"type", "string"}}, {{"type", "null"}}}}};
}

bool Codec<job::KeyValues>::read(const Json& json, job::KeyValues& value, const Field&) {
  if (!json.is_object()) return false;
  value.values.clear();
  for (const auto& [key, element] : json.items()) value.values.emplace_back(key, element.dump());
  return true;
}

Json Codec<job::KeyValues>::write(const job::KeyValues& value) {
  Json object = Json::object();
  for (const auto& [key, text] : value.values) object[key] = Json::parse(text);
  return object;
}

bool Codec<job::KeyChoices>::read(const Json& json, job::KeyChoices& value, const Field&) {
  if (!json.is_object()) return false;
  value.values.clear();
  for (const auto& [key, elements] : json.items()) {
    std::vector<std::string>& texts = value.values.emplace_back(key, std::vector<std::string>()).second;
    for (const Json& element : elements.is_array() ? elements : Json::array({elements})) texts.push_back(element.dump());
    if (texts.empty()) return false;
  }
  return true;
}

Json Codec<job::KeyChoices>::write(const job::KeyChoices& value) {
  Json object = Json::object();
  for (const auto& [key, texts] : value.values) {
    object[key] = Json::array();
    for (const std::string& text : texts) object[key].push_back(Json::parse(text));
  }
  return object;
}

}  // namespace attune::config
