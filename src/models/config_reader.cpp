// See config_reader.h.
#include "config_reader.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::models {

void ConfigReader::fail(std::string_view key, const std::string& what, const std::string& hint) const {
  throw Error(ErrorKind::model, {.file = file_, .what = what, .where = concat("key ", path_, key), .hint = hint});
}

bool ConfigReader::has(std::string_view key) const {
  const auto found = config_.find(std::string(key));
  return found != config_.end() && !found->is_null();
}

bool ConfigReader::absent(std::string_view key) const {
  return config_.find(std::string(key)) == config_.end();
}

ConfigReader ConfigReader::below(std::string_view key) const {
  require(key);
  if (!at(key).is_object()) fail(key, concat("found ", found(key), ", expected an object"));
  ConfigReader reader(at(key), file_);
  reader.path_ = concat(path_, key, ".");
  return reader;
}

void ConfigReader::require(std::string_view key) const {
  if (!has(key)) fail(key, "the key is missing", "the file must describe the model; download the folder again");
}

const files::Json& ConfigReader::at(std::string_view key) const {
  return *config_.find(std::string(key));
}

/// The value as written, shortened, for messages.
std::string ConfigReader::found(std::string_view key) const {
  const std::string text = at(key).dump(-1, ' ', false, files::Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

std::int64_t ConfigReader::whole(std::string_view key, std::int64_t min, std::int64_t max) const {
  require(key);
  const files::Json& value = at(key);
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(max)) &&
                    value.get<std::int64_t>() >= min && value.get<std::int64_t>() <= max;
  if (!fits) fail(key, concat("found ", found(key), ", expected a whole number from ", min, " to ", max));
  return value.get<std::int64_t>();
}

std::int64_t ConfigReader::whole(std::string_view key, std::int64_t min, std::int64_t max,
                                 std::int64_t fallback) const {
  return has(key) ? whole(key, min, max) : fallback;
}

std::optional<std::int64_t> ConfigReader::whole_or_none(std::string_view key, std::int64_t min, std::int64_t max,
                                                        std::optional<std::int64_t> if_absent) const {
  if (absent(key)) return if_absent;
  return has(key) ? std::optional(whole(key, min, max)) : std::nullopt;
}

double ConfigReader::number(std::string_view key, double min, double max) const {
  require(key);
  const files::Json& value = at(key);
  const bool fits = value.is_number() && value.get<double>() >= min && value.get<double>() <= max;  // false for NaN
  if (!fits) {
    fail(key,
         concat("found ", found(key), ", expected a number from ", format_number(min), " to ", format_number(max)));
  }
  return value.get<double>();
}

double ConfigReader::number(std::string_view key, double min, double max, double fallback) const {
  return has(key) ? number(key, min, max) : fallback;
}

std::optional<double> ConfigReader::number_or_none(std::string_view key, double min, double max,
                                                   std::optional<double> if_absent) const {
  if (absent(key)) return if_absent;
  return has(key) ? std::optional(number(key, min, max)) : std::nullopt;
}

bool ConfigReader::boolean(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  if (!at(key).is_boolean()) fail(key, concat("found ", found(key), ", expected true or false"));
  return at(key).get<bool>();
}

std::string ConfigReader::text(std::string_view key, const std::string& fallback) const {
  if (!has(key)) return fallback;
  if (!at(key).is_string()) fail(key, concat("found ", found(key), ", expected a string"));
  return at(key).get<std::string>();
}

const files::Json& ConfigReader::list(std::string_view key, std::size_t count) const {
  require(key);
  const files::Json& value = at(key);
  if (!value.is_array() || value.size() != count) {
    fail(key, concat("found ", found(key), ", expected a list of ", count, " elements"));
  }
  return value;
}

std::vector<std::string> ConfigReader::texts(std::string_view key, std::size_t count) const {
  std::vector<std::string> texts;
  for (const files::Json& element : list(key, count)) {
    if (!element.is_string()) fail(key, concat("found ", found(key), ", expected a list of strings"));
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::vector<double> ConfigReader::numbers(std::string_view key, std::size_t count) const {
  std::vector<double> numbers;
  for (const files::Json& element : list(key, count)) {
    if (!element.is_number()) fail(key, concat("found ", found(key), ", expected a list of numbers"));
    numbers.push_back(element.get<double>());
  }
  return numbers;
}

std::vector<std::string> ConfigReader::labels() const {
  if (!has("id2label")) return {};
  const files::Json& map = at("id2label");
  if (!map.is_object()) fail("id2label", concat("found ", found("id2label"), ", expected an object of id to label"));
  std::vector<std::string> labels(map.size());
  std::vector<bool> seen(map.size(), false);
  for (const auto& [id, label] : map.items()) {
    std::size_t i = 0;
    const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), i);
    const bool whole = problem == std::errc() && end == id.data() + id.size();
    if (!whole || i >= labels.size() || seen[i] || !label.is_string()) {
      fail(concat("id2label.", id),
           concat("expected the ids 0 to ", labels.size() - 1, " once each, with a string each"));
    }
    labels[i] = label.get<std::string>();
    seen[i] = true;
  }
  return labels;
}

}  // namespace attune::models
