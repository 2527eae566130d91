// JSON from strangers: bounds, duplicates, places in messages.
#include "attune/files/json.h"

#include <nlohmann/json.hpp>

#include "attune/files/storage.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune::files;
using attune::testing::TemporaryFolder;

Json parse_text(const std::string& text, const JsonLimits& limits = {}) {
  return parse_json(text, "c.json", limits);
}

}  // namespace

TEST_CASE("JSON keeps the order of its keys", "[files][json]") {
  const Json value = parse_text(R"({"z":1,"a":[true,null,-2,1.5,"é\n"],"m":{}})");
  CHECK(value.dump() == R"({"z":1,"a":[true,null,-2,1.5,"é\n"],"m":{}})");
}

TEST_CASE("JSON errors say what, line and column", "[files][json]") {
  CHECK_RAISES(parse_text("{\n  \"a\": tru\n}"), model, "c.json: not valid JSON: invalid literal");
  CHECK_RAISES(parse_text("{\n  \"é\": }"), model, "(line 2, column 8)");
  CHECK_RAISES(parse_text("{\"a\":1,}"), model, "(line 1, column 8)");
  CHECK_RAISES(parse_text(""), model, "c.json: not valid JSON: the text is empty (line 1, column 1)");
  CHECK_RAISES(parse_text(" \n "), model, "the text is empty (line 2, column 2)");
  CHECK_RAISES(parse_text("{\"a\":1} x"), model, "(line 1, column 9)");
  CHECK_RAISES(parse_text("[1e999]"), model, "(line 1, column 6)");
  CHECK_RAISES(parse_text("[NaN]"), model, "not valid JSON");
  CHECK_RAISES(parse_text("[\"\\ud800\"]"), model, "surrogate");
  CHECK_RAISES(parse_text("[\"a\nb\"]"), model, "(line 1, column 4)");
  CHECK_RAISES(parse_text(std::string("{}\0{}", 5)), model, "NUL byte (line 1, column 3)");
  CHECK_RAISES(parse_text("[1,\n\"\xff\"]"), model, "the text is not valid UTF-8 (line 2, column 2)");
}

TEST_CASE("byte-order marks and UTF-16 are named", "[files][json]") {
  CHECK_RAISES(parse_text("\xef\xbb\xbf{}"), model, "byte-order mark");
  CHECK_RAISES(parse_text(std::string("\xff\xfe{\0}\0", 6)), model, "UTF-16");
}

TEST_CASE("a key given twice is an error with its path", "[files][json]") {
  CHECK_RAISES(parse_text(R"({"a":1,"b":2,"a":1})"), model, "key 'a' is given twice (a)");
  CHECK_RAISES(parse_text(R"({"tuning":{"lora":[{"r":8},{"r":8,"r":8}]}})"), model,
               "key 'r' is given twice (tuning.lora[1].r)");
  CHECK_NOTHROW(parse_text(R"([{"a":1},{"a":1}])"));
}

TEST_CASE("JSON nests at most as deep as allowed", "[files][json]") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK_NOTHROW(parse_text(nested(64)));
  CHECK_RAISES(parse_text(nested(65)), model, "nesting deeper than 64");
  CHECK_RAISES(parse_text(nested(100'000)), model, "nesting deeper than 64");
  CHECK_RAISES(parse_text(R"({"a":{"b":[[1]]}})", {.max_depth = 3}), model, "nesting deeper than 3 (a.b)");
}

TEST_CASE("comments are read only where allowed", "[files][json]") {
  const std::string text = "{ // one\n \"a\": /* two */ 1 }";
  CHECK(parse_text(text, {.allow_comments = true})["a"] == 1);
  CHECK_RAISES(parse_text(text), model, "not valid JSON");
}

TEST_CASE("the caller chooses the kind of a JSON error and its size limit", "[files][json]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.json", "[1, 2, 3]");
  CHECK(read_json(path).size() == 3);
  CHECK_RAISES(read_json(path, {.kind = attune::ErrorKind::usage, .max_bytes = 8}), usage,
               "the file has 9 bytes, the limit is 8");
  CHECK_RAISES(read_json(folder / "none.json", {.kind = attune::ErrorKind::usage}), usage, "No such file");
  CHECK_RAISES(read_json("/dev/zero"), model, "not a regular file");
}

TEST_CASE("a large flat object is read in linear time", "[files][json]") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  CHECK(parse_text(text + "}").size() == 200'000);
}

TEST_CASE("JSON for output never fails on bytes that are not UTF-8", "[files][json]") {
  CHECK(json_text(Json{{"a", "\xff\xc3\xa9"}}, -1) == "{\"a\":\"\xef\xbf\xbd\xc3\xa9\"}");
  CHECK(json_text(parse_text("[1]")) == "[\n  1\n]");
}

TEST_CASE("JSON is written with indent 2 and a newline", "[files][json]") {
  const TemporaryFolder folder;
  write_json(folder / "a.json", parse_text(R"({"b":[1],"a":"é"})"));
  CHECK(read_file(folder / "a.json") == "{\n  \"b\": [\n    1\n  ],\n  \"a\": \"é\"\n}\n");
  CHECK_RAISES(write_json(folder / "b.json", Json("\xff")), storage, "not valid UTF-8");
  CHECK_FALSE(std::filesystem::exists(folder / "b.json"));
}
