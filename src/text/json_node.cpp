// See json_node.h.
#include "json_node.h"

#include <unordered_set>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::text {

namespace {

constexpr std::size_t kMaxBytes = 64u << 20;
constexpr int kMaxDepth = 64;

[[noreturn]] void bad_file(const std::string& file, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::model, {.file = file, .what = what, .where = "", .hint = hint});
}

/// Watches the parser: nesting, and objects with fewer members than keys were read.
class Watch {
 public:
  explicit Watch(const std::string& file) : file_(file) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMaxDepth)
        bad_file(file_, concat("nesting deeper than ", kMaxDepth), "this is not a tokenizer file that a library wrote");
      if (event == Event::object_start) keys_.push_back(0);
    } else if (event == Event::object_end) {
      if (keys_.back() != value.size()) repeats_ = true;
      keys_.pop_back();
    } else if (event == Event::key) {
      ++keys_.back();
    }
    return true;
  }
  bool repeats() const { return repeats_; }

 private:
  const std::string& file_;
  std::vector<std::size_t> keys_;  ///< of the open objects
  bool repeats_ = false;
};

/// The first key that stands twice in one object.
std::string repeated_key(const std::string& text) {
  std::vector<std::unordered_set<std::string>> keys;
  std::string found;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && found.empty() && !keys.back().insert(value.get_ref<const std::string&>()).second) {
      found = value.get_ref<const std::string&>();
    }
    return true;
  };
  const nlohmann::json read = nlohmann::json::parse(text, watch);
  if (read.is_discarded()) internal_error("a tokenizer file that parsed does not parse again");
  return found;
}

}  // namespace

nlohmann::json parse_tokenizer_json(const std::string& text, const std::string& file) {
  if (text.size() > kMaxBytes) {
    bad_file(file, concat("the file has ", text.size(), " bytes, more than the limit of ", kMaxBytes),
             "check that it is a tokenizer");
  }
  Watch watch(file);
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text, std::ref(watch));
  } catch (const nlohmann::json::exception& error) {
    std::string reason = error.what();
    if (const auto end = reason.find("] "); end != std::string::npos) reason = reason.substr(end + 2);
    bad_file(file, "not valid JSON: " + reason, "fetch the file again");
  }
  if (watch.repeats()) {
    bad_file(file, concat("the key '", repeated_key(text), "' stands twice in one object"),
             "keep the one that is meant");
  }
  return value;
}

JsonNode JsonNode::at(std::string_view key) const {
  if (!value_.is_object()) wrong_type("an object");
  const auto found = value_.find(key);
  if (found == value_.end()) fail(concat("the key '", key, "' is missing"));
  return child(*found, &found.key(), 0);
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  if (!value_.is_object()) wrong_type("an object");
  const auto found = value_.find(key);
  if (found == value_.end() || found->is_null()) return std::nullopt;
  return at(key);
}

bool JsonNode::boolean() const {
  if (!value_.is_boolean()) wrong_type("true or false");
  return value_.get<bool>();
}

std::int64_t JsonNode::integer(std::int64_t min, std::int64_t max) const {
  if (!value_.is_number_integer()) wrong_type("a whole number");
  const bool too_large = value_.is_number_unsigned() && value_.get<std::uint64_t>() > static_cast<std::uint64_t>(max);
  const std::int64_t value = too_large ? max : value_.get<std::int64_t>();
  if (too_large || value < min || value > max) fail(concat("found ", value_.dump(), ", expected ", min, " to ", max));
  return value;
}

double JsonNode::number() const {
  if (!value_.is_number()) wrong_type("a number");
  return value_.get<double>();
}

const std::string& JsonNode::string() const {
  if (!value_.is_string()) wrong_type("a string");
  return value_.get_ref<const std::string&>();
}

bool JsonNode::boolean_or(std::string_view key, bool absent) const {
  const auto node = find(key);
  return node ? node->boolean() : absent;
}

std::int64_t JsonNode::integer_or(std::string_view key, std::int64_t absent) const {
  const auto node = find(key);
  return node ? node->integer(0, INT32_MAX) : absent;
}

JsonNode JsonNode::element(std::size_t i) const {
  if (!value_.is_array()) wrong_type("a list");
  if (i >= value_.size()) fail(concat("the list has ", value_.size(), " elements, expected at least ", i + 1));
  return child(value_[i], nullptr, i);
}

void JsonNode::each_element(const std::function<void(const JsonNode&)>& visit) const {
  if (!value_.is_array()) wrong_type("a list");
  for (std::size_t i = 0; i < value_.size(); ++i) visit(element(i));
}

void JsonNode::each_member(const std::function<void(const std::string&, const JsonNode&)>& visit) const {
  if (!value_.is_object()) wrong_type("an object");
  for (auto member = value_.begin(); member != value_.end(); ++member) {
    visit(member.key(), child(member.value(), &member.key(), 0));
  }
}

JsonNode JsonNode::child(const nlohmann::json& value, const std::string* key, std::size_t index) const {
  return {value, file_, std::make_shared<Place>(Place{place_, key, index})};
}

std::string JsonNode::path() const {
  std::string path;
  for (const Place* place = place_.get(); place != nullptr; place = place->parent.get()) {
    if (place->key == nullptr) {
      path = concat("[", place->index, "]", path);
    } else {
      path = concat(place->parent == nullptr ? "" : ".", *place->key, path);
    }
  }
  return path;
}

void JsonNode::fail(const std::string& what, const std::string& hint) const {
  throw Error(ErrorKind::model, {.file = file_, .what = what, .where = path(), .hint = hint});
}

void JsonNode::wrong_type(std::string_view expected) const {
  fail(concat("found ", value_.is_null() ? "null" : value_.type_name(), ", expected ", expected));
}

}  // namespace attune::text
