// Typed, range-checked access to config.json. Every violation is an Error{model} that names file and key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/files/json.h"

namespace attune::models {

class ConfigReader {
 public:
  ConfigReader(const files::Json& config, std::string file) : config_(config), file_(std::move(file)) {}

  /// Present and not null.
  bool has(std::string_view key) const;
  bool absent(std::string_view key) const;
  /// The object at `key`, which must be there.
  ConfigReader below(std::string_view key) const;
  /// A whole number in [min, max]; the key must be there.
  std::int64_t whole(std::string_view key, std::int64_t min, std::int64_t max) const;
  std::int64_t whole(std::string_view key, std::int64_t min, std::int64_t max, std::int64_t fallback) const;
  /// Where null says "none" and absence says something else.
  std::optional<std::int64_t> whole_or_none(std::string_view key, std::int64_t min, std::int64_t max,
                                            std::optional<std::int64_t> if_absent) const;
  /// A number with min <= x <= max; the key must be there.
  double number(std::string_view key, double min, double max) const;
  double number(std::string_view key, double min, double max, double fallback) const;
  std::optional<double> number_or_none(std::string_view key, double min, double max,
                                       std::optional<double> if_absent) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::string text(std::string_view key, const std::string& fallback) const;
  /// Lists of exactly `count` elements; the key must be there.
  std::vector<std::string> texts(std::string_view key, std::size_t count) const;
  std::vector<double> numbers(std::string_view key, std::size_t count) const;
  /// id2label in order of id, {} when absent.
  std::vector<std::string> labels() const;

  const std::string& file() const { return file_; }

  [[noreturn]] void fail(std::string_view key, const std::string& what, const std::string& hint = {}) const;

 private:
  const files::Json& at(std::string_view key) const;
  std::string found(std::string_view key) const;

  void require(std::string_view key) const;
  const files::Json& list(std::string_view key, std::size_t count) const;

  const files::Json& config_;
  std::string file_;
  std::string path_;  ///< of the object that is read, with a dot behind it
};

}  // namespace attune::models
