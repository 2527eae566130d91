// A value of tokenizer.json together with its place: what is read through it fails with file and key path.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace attune::text {

/// Parses a tokenizer file: at most 64 MB, 64 levels deep, no key twice. Throws Error{model} naming `file`.
nlohmann::json parse_tokenizer_json(const std::string& text, const std::string& file);

class JsonNode {
 public:
  JsonNode(const nlohmann::json& value, const std::string& file) : JsonNode(value, file, "") {}

  /// The member `key`, which must be there.
  JsonNode at(std::string_view key) const;
  /// The member `key` unless it is absent or null.
  std::optional<JsonNode> find(std::string_view key) const;
  bool is_null() const { return value_.is_null(); }
  bool is_object() const { return value_.is_object(); }
  bool is_array() const { return value_.is_array(); }

  bool boolean() const;
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  const std::string& string() const;
  /// The key "type" of a component.
  const std::string& type() const { return at("type").string(); }

  bool boolean_or(std::string_view key, bool absent) const;
  std::int64_t integer_or(std::string_view key, std::int64_t absent) const;  ///< 0 … 2^31 - 1

  std::size_t size() const { return value_.size(); }
  JsonNode element(std::size_t i) const;  ///< of an array
  void each_element(const std::function<void(const JsonNode&)>& visit) const;
  void each_member(const std::function<void(const std::string& key, const JsonNode&)>& visit) const;

  const std::string& path() const { return path_; }
  const std::string& file() const { return file_; }
  [[noreturn]] void fail(const std::string& what, const std::string& hint = "") const;

 private:
  JsonNode(const nlohmann::json& value, const std::string& file, std::string path)
      : value_(value), file_(file), path_(std::move(path)) {}
  [[noreturn]] void wrong_type(std::string_view expected) const;

  const nlohmann::json& value_;
  const std::string& file_;
  std::string path_;
};

}  // namespace attune::text
