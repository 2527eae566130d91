// tokenizer.json and vocab.txt from strangers: every way in which they can be bad, with the message a person gets.
#include <functional>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/text/tokenizer.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune;
using attune::testing::TemporaryFolder;
using nlohmann::json;
using text::Tokenizer;

json good() {
  return json::parse(files::read_file(ATTUNE_SOURCE_DIR "/tests/goldens/app/tiny_bert/tokenizer.json"));
}

Tokenizer load_text(const std::string& content) {
  const TemporaryFolder folder;
  return Tokenizer::from_file(folder.write("tokenizer.json", content));
}

using Change = std::function<void(json&)>;

Tokenizer load(const Change& change) {
  json tokenizer = good();
  change(tokenizer);
  return load_text(tokenizer.dump());
}

struct Refused {
  std::string name;
  Change change;
  std::string message;
};

void check(const std::vector<Refused>& table) {
  for (const Refused& row : table) {
    INFO(row.name);
    CHECK_RAISES(load(row.change), model, row.message);
  }
}

Change part(const char* role, const json& value) {
  return [=](json& t) { t[role] = value; };
}
Change token_id(const json& id) {
  return [=](json& t) { t["model"]["vocab"]["card"] = id; };
}
Change added(const char* key, const json& value) {
  return [=](json& t) { t["added_tokens"][0][key] = value; };
}
Change pattern(const std::string& regex) {
  return part("pre_tokenizer", {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}});
}

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("a tokenizer.json that is none is refused", "[text][bad]") {
  CHECK_NOTHROW(load([](json&) {}));
  CHECK_RAISES(load_text(""), model, "not valid JSON");
  CHECK_RAISES(load_text("[]"), model, "this is not a JSON object");
  CHECK_RAISES(load_text("{\"model\": \"\xff\"}"), model, "not valid JSON");
  CHECK_RAISES(load_text(R"({"model": "\ud800"})"), model, "surrogate");
  CHECK_RAISES(load_text(R"({"version": "1.0", "version": "1.0"})"), model, "the key 'version' stands twice in one object");
  CHECK_RAISES(load_text(repeated("[", 100'000)), model, "nesting deeper than 64");
  CHECK_RAISES(load_text(std::string((64u << 20) + 1, ' ')), model, "more than the limit of 67108864");
  CHECK_RAISES(load(part("version", "9.9")), model, "found version '9.9', expected '1.0' (version)");
  CHECK_RAISES(load([](json& t) { t.erase("model"); }), model, "the key 'model' is missing");
}

TEST_CASE("vocabularies that give a token no id of its own are refused", "[text][bad]") {
  check({
      {"2^31", token_id(std::int64_t{1} << 31), "found 2147483648, expected 0 to 4194303 (model.vocab.card)"},
      {"2^64 - 1", token_id(UINT64_MAX), "found 18446744073709551615, expected 0 to"},
      {"negative", token_id(-1), "found -1, expected 0 to 4194303 (model.vocab.card)"},
      {"fraction", token_id(1.5), "found number, expected a whole number (model.vocab.card)"},
      {"text", token_id("7"), "found string, expected a whole number (model.vocab.card)"},
      {"two of one id", token_id(3), "the id 3 belongs to '[SEP]' and to 'card' (model.vocab.card)"},
      {"empty", [](json& t) { t["model"]["vocab"] = json::object(); }, "the vocabulary is empty (model.vocab)"},
      {"a list", [](json& t) { t["model"]["vocab"] = {"a", "b"}; }, "found array, expected an object (model.vocab)"},
      {"unknown token", [](json& t) { t["model"]["unk_token"] = "[NO]"; }, "the token '[NO]' is not in the vocabulary"},
      {"negative limit", [](json& t) { t["model"]["max_input_chars_per_word"] = -1; }, "max_input_chars_per_word"},
  });
  const Tokenizer with_hole = load(token_id(4000));
  CHECK(with_hole.vocab_size() == 4001);
  CHECK_FALSE(with_hole.id_to_token(3000).has_value());
}

TEST_CASE("a token of 10 MB is taken, and a text of 10 MB is one unknown word", "[text][bad][slow]") {
  const std::string large(10'000'000, 'a');
  const Tokenizer tokenizer = load([&](json& t) { t["model"]["vocab"][large] = 170; });
  CHECK(tokenizer.token_to_id(large) == 170);
  CHECK(tokenizer.encode({.text = large}).tokens == std::vector<std::string>{"[CLS]", "[UNK]", "[SEP]"});
}

TEST_CASE("parts that are not known are named, never skipped", "[text][bad]") {
  const json unknown = {{"type", "Wurst"}};
  check({
      {"normaliser", part("normalizer", unknown), "'Wurst' is not supported yet (normalizer.type)"},
      {"pre-tokeniser", part("pre_tokenizer", unknown), "'Wurst' is not supported yet (pre_tokenizer.type)"},
      {"model", [](json& t) { t["model"]["type"] = "Wurst"; }, "'Wurst' is not supported yet (model.type)"},
      {"post-processor", part("post_processor", unknown), "'Wurst' is not supported yet (post_processor.type)"},
      {"decoder", part("decoder", unknown), "'Wurst' is not supported yet (decoder.type)"},
      {"inside a sequence", part("normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Lowercase"}}, unknown}}}),
       "'Wurst' is not supported yet (normalizer.normalizers[1].type)"},
      {"type that is no text", part("normalizer", {{"type", 3}}), "found number, expected a string (normalizer.type)"},
      {"a part that is no object", part("decoder", "WordPiece"), "found string, expected an object (decoder)"},
      {"truncation", part("truncation", {{"max_length", 8}, {"strategy", "Half"}}), "found 'Half', expected LongestFirst"},
      {"padding", part("padding", {{"strategy", {{"Fixed", -1}}}, {"pad_token", "[PAD]"}}), "padding.strategy.Fixed"},
  });
}

TEST_CASE("added and special tokens must agree with the vocabulary", "[text][bad]") {
  check({
      {"empty", added("content", ""), "an added token is empty (added_tokens[0].content)"},
      {"empty once normalised",
       [](json& t) {
         t["added_tokens"][0]["content"] = "\u0001";
         t["added_tokens"][0]["normalized"] = true;
       },
       "is empty after normalisation"},
      {"2^40", added("id", std::int64_t{1} << 40), "found 1099511627776, expected 0 to 4194303 (added_tokens[0].id)"},
      {"negative", added("id", -5), "found -5, expected 0 to 4194303 (added_tokens[0].id)"},
      {"listed twice", added("content", "[UNK]"), "the added token '[UNK]' is listed twice"},
      {"a flag that is none", added("lstrip", 1), "found number, expected true or false (added_tokens[0].lstrip)"},
      {"id outside the vocabulary", part("post_processor", {{"type", "BertProcessing"}, {"sep", {"[SEP]", 99999}}, {"cls", {"[CLS]", 2}}}),
       "the special token '[SEP]' is given the id 99999, its id in the vocabulary is 3"},
      {"token outside the vocabulary", part("post_processor", {{"type", "BertProcessing"}, {"sep", {"[END]", 3}}, {"cls", {"[CLS]", 2}}}),
       "the special token '[END]' is not in the vocabulary"},
  });
}

TEST_CASE("patterns of another syntax are refused by name", "[text][bad]") {
  check({
      {"named group", pattern("(?<name>a)"), "the pattern '(?<name>a)' is not supported: the group '(?<n'"},
      {"never closed", pattern("(a"), "the pattern '(a' is not supported: missing closing parenthesis"},
      {"class inside a class", pattern("[a[b]]"), "a class inside a class"},
      {"intersection", pattern("[a&&b]"), "'&&' in a class"},
      {"unknown escape", pattern("\\y"), "'\\y'"},
      {"unknown property", pattern("\\p{Klingon}"), "the property '\\p{Klingon}'"},
      {"back reference", pattern("(a)\\1"), "'\\1'"},
      {"repetition without end", pattern("a{3,2}"), "is not supported"},
      {"50,000 brackets", pattern(repeated("(", 50'000) + repeated(")", 50'000)), "is not supported: parentheses are too deeply nested"},
      {"empty", pattern(""), "an empty pattern is not supported (pre_tokenizer.pattern)"},
  });
}

TEST_CASE("a pattern that would never end is stopped and named", "[text][bad]") {
  const std::string words = repeated("what can i do ", 8);
  const std::string endless = "(x+x+)+y|[a-z ]*([a-z ]*)*[^a-z]!";
  CHECK_RAISES(load(pattern(endless)).encode({.text = words}), model, "the pattern '" + endless + "' takes too long on a text: match limit exceeded");
  for (const std::string hostile : {"(a+)+$", "(.*)*x", "(x+x+)+y", "([a-z]+ ?)*!", "(a|a)*b|c", "(a|aa)+$"}) {
    const Tokenizer tokenizer = load(pattern(hostile));
    for (const std::string& text : {words, repeated("a", 5000) + "b", repeated("x", 40)}) {
      std::string problem;  // each may end in a match or in the error, but ends
      try {
        tokenizer.encode({.text = text});
      } catch (const Error& error) {
        problem = error.text().what;
      }
      INFO(hostile << ": " << problem);
      CHECK((problem.empty() || problem.starts_with("the pattern '" + hostile + "' takes too long on a text: ")));
    }
  }
}

TEST_CASE("a vocab.txt that is none is refused", "[text][bad]") {
  const auto from = [](const std::string& vocabulary, const std::string& config = "{}") {
    const TemporaryFolder folder;
    folder.write("vocab.txt", vocabulary);
    folder.write("tokenizer_config.json", config);
    return Tokenizer::from_folder(folder.path());
  };
  const std::string specials = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  CHECK_NOTHROW(from(specials + "a\n"));
  CHECK_RAISES(from(""), model, "the special token '[UNK]' is not in the vocabulary");
  CHECK_RAISES(from(specials + "a\nb\na\n"), model, "the token 'a' stands in lines 6 and 8 (line 8)");
  CHECK_RAISES(from(specials + "\xff\n"), model, "not valid UTF-8 at byte 31");
  CHECK_RAISES(from(specials, R"({"tokenizer_class": "GPT2Tokenizer"})"), model, "a vocab.txt of a GPT2Tokenizer is not supported (tokenizer_class)");
  CHECK_RAISES(from(specials, R"({"do_lower_case": "no"})"), model, "found string, expected true or false (do_lower_case)");
  CHECK_RAISES(from(specials, R"({"model_max_length": 0})"), model, "found 0, expected a number from 1 on (model_max_length)");
  CHECK_RAISES(from(specials, "[]"), model, "tokenizer_config.json: found array, expected an object");
  const TemporaryFolder empty;
  CHECK_RAISES(Tokenizer::from_folder(empty.path()), model, "neither tokenizer.json nor vocab.txt nor vocab.json with merges.txt is there");
  std::filesystem::create_symlink("tokenizer.json", empty / "tokenizer.json");
  CHECK_RAISES(Tokenizer::from_folder(empty.path()), model, "Too many levels of symbolic links");
}
