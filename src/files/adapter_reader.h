// Reads one key after another of an adapter_config.json, and how their values are written. An absent key or null leaves
// the value as it is.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/adapter_config.h"

namespace attune::files {

/// Every refusal is an Error{model} that names file and key.
class AdapterConfigReader {
 public:
  AdapterConfigReader(const Json& json, const std::string& file) : json_(json), file_(file) {}

  [[noreturn]] void refuse(const std::string& key, const std::string& what, const std::string& hint = "") const {
    throw Error(ErrorKind::model, {.file = file_, .what = what, .where = "key " + key, .hint = hint});
  }

  /// null where the key is absent.
  const Json& at(const char* key) const {
    static const Json null;
    const auto found = json_.find(key);
    return found == json_.end() ? null : *found;
  }

  void boolean(const char* key, bool& value) const {
    const Json& json = at(key);
    if (json.is_null()) return;
    if (!json.is_boolean()) refuse(key, "found " + short_text(json) + ", expected true or false");
    value = json.get<bool>();
  }

  void number(const char* key, double& value) const {
    const Json& json = at(key);
    if (!json.is_null()) value = checked_number(json, key);
  }

  void text(const char* key, std::string& value) const {
    const Json& json = at(key);
    if (json.is_null()) return;
    if (!json.is_string()) refuse(key, "found " + short_text(json) + ", expected a text");
    value = json.get<std::string>();
  }

  /// A list of texts, each once.
  void names(const char* key, std::vector<std::string>& value) const {
    const Json& json = at(key);
    if (json.is_null()) return;
    if (!json.is_array()) refuse(key, "found " + short_text(json) + ", expected a list of names");
    for (const Json& name : json) {
      if (!name.is_string() || name == "") refuse(key, "found " + short_text(name) + ", expected a name");
      if (std::find(value.begin(), value.end(), name.get<std::string>()) == value.end())
        value.push_back(name.get<std::string>());
    }
  }

  void names_or_pattern(const char* key, NamesOrPattern& value) const {
    if (at(key).is_string()) {
      value.pattern = at(key).get<std::string>();
    } else {
      names(key, value.names);
    }
  }

  std::map<std::string, double> numbers(const char* key) const {
    std::map<std::string, double> value;
    const Json& json = at(key);
    if (json.is_null()) return value;
    if (!json.is_object()) refuse(key, "found " + short_text(json) + ", expected an object of numbers");
    for (const auto& [name, number] : json.items()) value[name] = checked_number(number, concat(key, ".", name));
    return value;
  }

  double checked_number(const Json& json, const std::string& key) const {
    if (!json.is_number() || !std::isfinite(json.get<double>()))
      refuse(key, "found " + short_text(json) + ", expected a number");
    return json.get<double>();
  }

  /// A whole number in [least, most].
  std::int64_t count(const std::string& key, const Json& json, double least, double most) const {
    const double number = checked_number(json, key);
    if (number < least || number > most || number != std::floor(number)) {
      refuse(key, concat("found ", short_text(json), ", expected a whole number from ", format_number(least), " to ",
                         format_number(most)));
    }
    return static_cast<std::int64_t>(number);
  }

  /// One of `choices`.
  void choice(const char* key, std::string& value, const std::vector<std::string>& choices) const {
    text(key, value);
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
    refuse(key, concat("found \"", value, "\", expected one of \"", join(choices, "\", \""), "\""));
  }

  static std::string short_text(const Json& json) {
    constexpr std::size_t kLongest = 60;
    std::string text = json_text(json, -1);
    return text.size() <= kLongest ? text : std::string(json.type_name());
  }

 private:
  const Json& json_;
  const std::string& file_;
};

inline Json names_json(const NamesOrPattern& value) {
  if (value.empty()) return nullptr;
  return value.pattern.empty() ? Json(value.names) : Json(value.pattern);
}

template <class T>
Json list_or_null(const std::vector<T>& values) {
  return values.empty() ? Json(nullptr) : Json(values);
}

inline Json text_or_null(const std::string& value) {
  return value.empty() ? Json(nullptr) : Json(value);
}

LoraSettings read_lora(const AdapterConfigReader& reader);
Json lora_json(const LoraSettings& lora);

}  // namespace attune::files
