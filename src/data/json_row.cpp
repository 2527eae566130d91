// See json_row.h.
#include "attune/data/json_row.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"

namespace attune::data {

namespace {

/// Builds a Field from the parser's events; `false` ends the parse and leaves the reason in `problem`.
class FieldHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add({}); }
  bool boolean(bool value) override { return add({Field::Kind::boolean, value ? "true" : "false", {}, {}}); }
  bool number_integer(number_integer_t value) override { return add_integer(value); }
  bool number_unsigned(number_unsigned_t value) override { return add_integer(value); }
  bool number_float(number_float_t, const string_t& spelling) override {
    const bool whole = spelling.find_first_not_of("-0123456789") == std::string::npos;
    return add({whole ? Field::Kind::integer : Field::Kind::real, spelling, {}, {}});
  }
  bool string(string_t& value) override {
    if (value.find('\0') != std::string::npos) return fail("a text holds a NUL character");
    return add({Field::Kind::text, std::move(value), {}, {}});
  }
  bool binary(binary_t&) override { return fail("binary value"); }
  bool start_object(std::size_t) override { return open(Field::Kind::object); }
  bool start_array(std::size_t) override { return open(Field::Kind::list); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    std::vector<std::string>& keys = open_.back()->keys;
    if (std::find(keys.begin(), keys.end(), name) != keys.end())
      return fail(in_quotes(name) + " occurs twice in the row");
    keys.push_back(std::move(name));
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error …": we give line and column
    // ourselves.
    std::string message = error.what();
    message.erase(0, message.find("] ") + 2);
    if (message.starts_with("parse error at ")) message.erase(0, message.find(": ") + 2);
    position_ = position;
    return fail("not valid JSON: " + message);
  }

  Field take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }
  std::size_t position() const { return position_; }

 private:
  static constexpr std::size_t kMaxDepth = 64;

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  template <class Integer>
  bool add_integer(Integer value) {
    return add({Field::Kind::integer, std::to_string(value), {}, {}});
  }

  bool add(Field field) {
    place(std::move(field));
    return true;
  }

  Field& place(Field field) {
    if (open_.empty()) return root_ = std::move(field);
    return open_.back()->items.emplace_back(std::move(field));
  }

  // A pointer to an open container stays valid: its siblings are complete and its parent grows only after it is closed.
  bool open(Field::Kind kind) {
    if (open_.size() == kMaxDepth) return fail(concat("nesting deeper than ", kMaxDepth));
    open_.push_back(&place({kind, "", {}, {}}));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Field root_;
  std::vector<Field*> open_;
  std::string problem_;
  std::size_t position_ = 0;  ///< 1-based byte of a syntax error, 0 for other problems
};

/// 1-based column in code points of the 1-based byte.
std::size_t column_of(std::string_view line, std::size_t byte) {
  const std::string_view before = line.substr(0, byte - 1);
  return 1 + static_cast<std::size_t>(std::count_if(
                 before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Field parse_json_row(std::string_view line, const Origin& origin) {
  if (const auto bad = find_invalid_utf8(line)) {
    throw BadRow(origin, "invalid UTF-8", "byte " + std::to_string(*bad + 1) + " of the line", "save the file as UTF-8",
                 *bad + 1);
  }
  FieldHandler handler;
  if (!nlohmann::json::sax_parse(line.begin(), line.end(), &handler)) {
    if (handler.position() == 0) throw BadRow(origin, handler.problem());
    throw BadRow(origin, handler.problem(), "", "every line must hold one whole JSON object",
                 column_of(line, handler.position()));
  }
  Field row = handler.take();
  if (row.is(Field::Kind::object)) return row;
  const bool is_array_file = row.is(Field::Kind::list) && origin.line == 1;
  throw BadRow(origin, "the line holds " + describe(row) + ", a JSON object was expected", "",
               is_array_file ? "write one object a line: jq -c '.[]' FILE.json > FILE.jsonl" : "");
}

}  // namespace attune::data
