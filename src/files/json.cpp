// See json.h. The parser is nlohmann's; the tree is built here from its events, because only there duplicate keys,
// depth and key paths can be seen.
#include "attune/files/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/files/storage.h"
#include "descriptor.h"

namespace attune::files {

namespace {

/// "line 3, column 7" of a byte position; columns count characters.
std::string line_and_column(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start), before.end(),
                                    [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
  return concat("line ", line, ", column ", column + 1);
}

/// "[json.exception…] parse error at line 1, column 5: syntax error while parsing value - X; last read: 'Y'; expected
/// Z" → "X; expected Z".
std::string plain_reason(const std::string& message) {
  std::string reason = message.substr(message.find("] ") == std::string::npos ? 0 : message.find("] ") + 2);
  if (const std::size_t dash = reason.find(" - "); dash != std::string::npos) reason.erase(0, dash + 3);
  if (const std::size_t begin = reason.find("; last read: '"); begin != std::string::npos) {
    const std::size_t end = reason.rfind("'; expected ");
    reason.erase(begin, end == std::string::npos || end < begin ? std::string::npos : end + 1 - begin);
  }
  return reason;
}

/// Builds the tree. Pointers into it stay valid: a container grows only while none of its elements is open.
class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, const std::string& file, const JsonLimits& limits)
      : text_(text), file_(file), limits_(limits) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool end_object() override {
    check_duplicates();
    open_.pop_back();
    return true;
  }

  bool key(string_t& name) override {
    // The base's emplace would search all earlier keys; duplicates are looked for once, at the end of the object.
    auto& members = static_cast<Json::object_t::Container&>(open_.back()->get_ref<Json::object_t&>());
    members.emplace_back(std::move(name), nullptr);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    fail("not valid JSON: " + plain_reason(error.what()), line_and_column(text_, position == 0 ? 0 : position - 1));
  }

 private:
  [[noreturn]] void fail(std::string what, std::string where) const {
    throw Error(limits_.kind, {.file = file_, .what = std::move(what), .where = std::move(where), .hint = ""});
  }

  /// The place of the next value: the root, the end of the open array, or the value of the last key.
  Json& place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.get_ref<Json::array_t&>().push_back(std::move(value));
      return parent.back();
    }
    Json& slot = parent.get_ref<Json::object_t&>().back().second;
    slot = std::move(value);
    return slot;
  }

  template <typename Value>
  bool add(Value&& value) {
    place(Json(std::forward<Value>(value)));
    return true;
  }

  bool open(Json container) {
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      fail(concat("nesting deeper than ", limits_.max_depth), path());
    }
    open_.push_back(&place(std::move(container)));
    return true;
  }

  /// Dotted path of the open value: "model.added_tokens[3].content".
  std::string path() const {
    std::string path;
    for (const Json* container : open_) {
      if (container->empty()) break;
      if (container->is_array()) {
        path += concat("[", container->size() - 1, "]");
      } else {
        path += (path.empty() ? "" : ".") + container->get_ref<const Json::object_t&>().back().first;
      }
    }
    return path;
  }

  void check_duplicates() {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : open_.back()->get_ref<const Json::object_t&>()) names.push_back(name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice == names.end()) return;
    const std::string name(*twice);
    open_.pop_back();
    const std::string parent = path();
    fail(concat("key '", name, "' is given twice"), parent.empty() ? name : parent + "." + name);
  }

  std::string_view text_;
  const std::string& file_;
  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> open_;
};

void check_bytes(std::string_view text, const std::string& file, const JsonLimits& limits) {
  const auto fail = [&](std::string what, std::string where, std::string hint) {
    throw Error(limits.kind,
                {.file = file, .what = std::move(what), .where = std::move(where), .hint = std::move(hint)});
  };
  if (text.size() > limits.max_bytes) {
    fail(concat("the file has ", text.size(), " bytes, the limit is ", limits.max_bytes), "", "");
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    fail("the file begins with a byte-order mark, JSON must not", "line 1, column 1", "save it as UTF-8 without BOM");
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail("the file looks like UTF-16, JSON is UTF-8", "", "save it as UTF-8 without BOM");
  }
  if (const auto bad = find_invalid_utf8(text)) {
    fail("the text is not valid UTF-8", line_and_column(text, *bad), "save it as UTF-8");
  }
  // nlohmann takes a NUL byte for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    fail("not valid JSON: NUL byte", line_and_column(text, nul), "");
  }
  // Said here, since the releases of nlohmann word it differently.
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    fail("not valid JSON: the text is empty", line_and_column(text, text.size()), "");
  }
}

}  // namespace

Json parse_json(const std::string& text, const std::string& file, const JsonLimits& limits) {
  check_bytes(text, file, limits);
  TreeBuilder builder(text, file, limits);
  Json::sax_parse(text, &builder, Json::input_format_t::json, true, limits.allow_comments);
  return builder.take();
}

Json read_json(const std::string& path, const JsonLimits& limits) {
  const RegularFile file = open_regular(path, limits.kind);
  if (file.size > limits.max_bytes) {
    throw Error(limits.kind, {.file = path,
                              .what = concat("the file has ", file.size, " bytes, the limit is ", limits.max_bytes),
                              .where = "",
                              .hint = ""});
  }
  return parse_json(read_all(file, path, limits.kind), path, limits);
}

std::string json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void write_json(const std::string& path, const Json& value) {
  std::string text;
  try {
    text = value.dump(2) + "\n";
  } catch (const Json::type_error&) {
    throw Error(ErrorKind::storage,
                {.file = path, .what = "a text to be written is not valid UTF-8", .where = "", .hint = ""});
  }
  write_file_atomically(path, text);
}

}  // namespace attune::files
