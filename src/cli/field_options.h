// Options of the command line from field lists (base/fields.h).
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "attune/base/fields.h"
#include "attune/base/strings.h"

namespace attune::cli {

template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<std::vector<T>> = true;

template <class T>
inline constexpr const char* kTypeName = "TEXT";
template <>
inline constexpr const char* kTypeName<std::int64_t> = "INT";
template <>
inline constexpr const char* kTypeName<std::uint64_t> = "INT";
template <>
inline constexpr const char* kTypeName<double> = "NUMBER";
template <class T>
inline constexpr const char* kTypeName<std::optional<T>> = kTypeName<T>;
template <class T>
inline constexpr const char* kTypeName<std::vector<T>> = kTypeName<T>;

/// What the help says of a field's values: "NUMBER=1", "INT"; CLI11 adds " ..." to one that may be given several times.
template <class T>
std::string value_words(const T& usual, const Field& field) {
  const std::vector<std::string> choices(field.choices.begin(), field.choices.end());
  const std::string type = choices.empty() ? kTypeName<T> : concat("{", join(choices, ","), "}");
  if constexpr (std::is_arithmetic_v<T>) return concat(type, "=", usual);
  if constexpr (std::is_same_v<T, std::string>) return concat(type, "=", usual);
  return type;
}

/// A visitor of a field list: an option of the command line for each field, as --max_new_tokens and --max-new-tokens.
/// What was given goes to `given`, as texts by key.
struct AddFields {
  CLI::App& verb;
  std::map<std::string, std::vector<std::string>>& given;

  template <class T>
  void operator()(T& usual, const Field& field) const {
    const std::string key(field.key);
    std::string dashed = key;
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    const std::string names = dashed == key ? "--" + key : concat("--", key, ",--", dashed);
    auto* texts = &given;
    if constexpr (std::is_same_v<T, bool>) {
      verb.add_flag_function(
          names, [texts, key](std::int64_t count) { (*texts)[key] = {count > 0 ? "true" : "false"}; },
          std::string(field.help));
    } else {
      CLI::Option* option = verb.add_option_function<std::vector<std::string>>(
          names, [texts, key](const std::vector<std::string>& values) { (*texts)[key] = values; },
          std::string(field.help));
      option->type_name(value_words(usual, field))->allow_extra_args(kIsList<T>);
      if constexpr (!kIsList<T>) option->expected(1);
    }
  }
};

}  // namespace attune::cli
