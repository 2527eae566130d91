// A value of tokenizer.json together with its place: what is read through it fails with file and key path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace attune::text {

/// Parses a tokenizer file: at most 64 MB, 64 levels deep, no key twice. Throws Error{model} naming `file`.
nlohmann::json parse_tokenizer_json(const std::string& text, const std::string& file);

class JsonNode {
 public:
  /// `value` and `file` must outlive the node and what is reached through it.
  JsonNode(const nlohmann::json& value, const std::string& file) : JsonNode(value, file, nullptr) {}

  /// The member `key`, which must be there.
  JsonNode at(std::string_view key) const;
  /// The member `key` unless it is absent or null.
  std::optional<JsonNode> find(std::string_view key) const;
  bool is_null() const { return value_.is_null(); }
  bool is_object() const { return value_.is_object(); }
  bool is_array() const { return value_.is_array(); }
  bool is_string() const { return value_.is_string(); }

  bool boolean() const;
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  double number() const;
  const std::string& string() const;
  /// The key "type" of a component.
  const std::string& type() const { return at("type").string(); }

  bool boolean_or(std::string_view key, bool absent) const;
  std::int64_t integer_or(std::string_view key, std::int64_t absent) const;  ///< 0 … 2^31 - 1

  std::size_t size() const { return value_.size(); }
  JsonNode element(std::size_t i) const;  ///< of an array
  void each_element(const std::function<void(const JsonNode&)>& visit) const;
  void each_member(const std::function<void(const std::string& key, const JsonNode&)>& visit) const;

  /// "model.vocab.the", "merges[12]"; "" for the whole file.
  std::string path() const;
  const std::string& file() const { return file_; }
  [[noreturn]] void fail(const std::string& what, const std::string& hint = "") const;

 private:
  /// Where a value stands, linked from the inside out: the path is only spelled for messages.
  struct Place {
    std::shared_ptr<const Place> parent;
    const std::string* key;  ///< nullptr for an element of a list
    std::size_t index;
  };
  JsonNode(const nlohmann::json& value, const std::string& file, std::shared_ptr<const Place> place)
      : value_(value), file_(file), place_(std::move(place)) {}
  JsonNode child(const nlohmann::json& value, const std::string* key, std::size_t index) const;
  [[noreturn]] void wrong_type(std::string_view expected) const;

  const nlohmann::json& value_;
  const std::string& file_;
  std::shared_ptr<const Place> place_;
};

}  // namespace attune::text
