// How the types of options look in JSON: one Codec a type, with the words for it, reading, writing and the schema.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "attune/base/fields.h"
#include "attune/files/adapter_config.h"
#include "attune/files/json.h"
#include "attune/job/options.h"

namespace attune::config {

using files::Json;

/// words: what is expected, for messages and docs ("a whole number >= 1"). read: false when `json` is something else.
template <class T>
struct Codec;

template <>
struct Codec<bool> {
  static std::string words(const Field&) { return "true or false"; }
  static bool read(const Json& json, bool& value, const Field&);
  static Json write(bool value) { return value; }
  static Json schema(const Field&) { return {{"type", "boolean"}}; }
};

template <>
struct Codec<double> {
  static std::string words(const Field& field);
  static bool read(const Json& json, double& value, const Field& field);
  static Json write(double value);
  static Json schema(const Field& field);
};

template <>
struct Codec<std::int64_t> {
  static std::string words(const Field& field);
  static bool read(const Json& json, std::int64_t& value, const Field& field);
  static Json write(std::int64_t value) { return value; }
  static Json schema(const Field& field);
};

/// Seeds: every 64-bit number.
template <>
struct Codec<std::uint64_t> {
  static std::string words(const Field&) { return "a whole number >= 0"; }
  static bool read(const Json& json, std::uint64_t& value, const Field& field);
  static Json write(std::uint64_t value) { return value; }
  static Json schema(const Field&) { return {{"type", "integer"}, {"minimum", 0}}; }
};

template <>
struct Codec<std::string> {
  static std::string words(const Field& field);
  static bool read(const Json& json, std::string& value, const Field& field);
  static Json write(const std::string& value) { return value; }
  static Json schema(const Field& field);
};

template <>
struct Codec<std::map<std::string, double>> {
  static std::string words(const Field& field);
  static bool read(const Json& json, std::map<std::string, double>& value, const Field& field);
  static Json write(const std::map<std::string, double>& value);
  static Json schema(const Field& field);
};

template <>
struct Codec<ChoiceOrNumbers> {
  static std::string words(const Field& field);
  static bool read(const Json& json, ChoiceOrNumbers& value, const Field& field);
  static Json write(const ChoiceOrNumbers& value);
  static Json schema(const Field& field);
};

/// null, a text, or a list of texts.
template <>
struct Codec<files::NamesOrPattern> {
  static std::string words(const Field&) { return "a list of names, or a text, or null"; }
  static bool read(const Json& json, files::NamesOrPattern& value, const Field& field);
  static Json write(const files::NamesOrPattern& value);
  static Json schema(const Field& field);
};

/// Values by key of the configuration, of which nothing is checked here.
template <>
struct Codec<job::KeyValues> {
  static std::string words(const Field&) { return "an object of keys and values"; }
  static bool read(const Json& json, job::KeyValues& value, const Field& field);
  static Json write(const job::KeyValues& value);
  static Json schema(const Field&) { return {{"type", "object"}}; }
};

/// Lists of values by key; a bare value is a list of one.
template <>
struct Codec<job::KeyChoices> {
  static std::string words(const Field&) { return "an object of keys and lists of values"; }
  static bool read(const Json& json, job::KeyChoices& value, const Field& field);
  static Json write(const job::KeyChoices& value);
  static Json schema(const Field&) { return {{"type", "object"}}; }
};

/// null, or a value.
template <class T>
struct Codec<std::optional<T>> {
  static std::string words(const Field& field) { return Codec<T>::words(field) + ", or null"; }
  static bool read(const Json& json, std::optional<T>& value, const Field& field) {
    if (json.is_null()) {
      value.reset();
      return true;
    }
    return Codec<T>::read(json, value.emplace(), field);
  }
  static Json write(const std::optional<T>& value) { return value ? Codec<T>::write(*value) : Json(nullptr); }
  static Json schema(const Field& field) { return {{"anyOf", {Codec<T>::schema(field), {{"type", "null"}}}}}; }
};

/// A list; a bare value is a list of one.
template <class T>
struct Codec<std::vector<T>> {
  static std::string words(const Field& field) { return Codec<T>::words(field) + ", or a list of such"; }
  static bool read(const Json& json, std::vector<T>& value, const Field& field) {
    const Json list = json.is_array() ? json : Json::array({json});
    value.clear();
    for (const Json& element : list) {
      T element_value{};
      if (!Codec<T>::read(element, element_value, field)) return false;
      value.push_back(std::move(element_value));
    }
    return true;
  }
  static Json write(const std::vector<T>& value) {
    Json list = Json::array();
    for (const T& element : value) list.push_back(Codec<T>::write(element));
    return list;
  }
  static Json schema(const Field& field) {
    Json list = {{"type", "array"}, {"items", Codec<T>::schema(field)}};
    if (field.required) list["minItems"] = 1;
    return {{"anyOf", {Codec<T>::schema(field), std::move(list)}}};
  }
};

/// Lists of texts by name; a bare text is a list of one.
template <>
struct Codec<std::map<std::string, std::vector<std::string>>> {
  using Map = std::map<std::string, std::vector<std::string>>;
  static std::string words(const Field&) { return "an object of texts or lists of texts"; }
  static bool read(const Json& json, Map& value, const Field& field) {
    if (!json.is_object()) return false;
    value.clear();
    for (const auto& [key, element] : json.items()) {
      if (!Codec<std::vector<std::string>>::read(element, value[key], field)) return false;
    }
    return true;
  }
  static Json write(const Map& value) {
    Json object = Json::object();
    for (const auto& [key, texts] : value) object[key] = texts;
    return object;
  }
  static Json schema(const Field& field) {
    return {{"type", "object"}, {"additionalProperties", Codec<std::vector<std::string>>::schema(field)}};
  }
};

/// null where the option is not given, or its value.
template <class T>
struct Codec<Given<T>> {
  static std::string words(const Field& field) { return Codec<T>::words(field) + ", or null"; }
  static bool read(const Json& json, Given<T>& option, const Field& field) {
    option.given = !json.is_null();
    return !option.given || Codec<T>::read(json, option.value, field);
  }
  static Json write(const Given<T>& option) { return option.given ? Codec<T>::write(option.value) : Json(nullptr); }
  static Json schema(const Field& field) { return {{"anyOf", {Codec<T>::schema(field), {{"type", "null"}}}}}; }
};

/// Whether null is among the values of the type.
template <class T>
inline constexpr bool kHasNull = false;
template <>
inline constexpr bool kHasNull<files::NamesOrPattern> = true;
template <class T>
inline constexpr bool kHasNull<std::optional<T>> = true;
template <class T>
inline constexpr bool kHasNull<Given<T>> = true;

}  // namespace attune::config
