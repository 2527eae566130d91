// Short cuts of normalisation, and pieces that differ in little.
#include <nlohmann/json.hpp>

#include "attune/base/utf8.h"
#include "attune/text/tokenizer.h"
#include "attune/text/unicode.h"
#include "catch.h"
#include "temporary_folder.h"

using attune::text::Tokenizer;
using nlohmann::json;
namespace unicode = attune::text::unicode;

namespace {

/// Every text is one token: of the vocabulary, or unknown (0).
Tokenizer naming(const std::string& normalizer, const std::vector<std::string>& names) {
  json vocabulary = {{"?", 0}};
  for (const std::string& name : names) vocabulary[name] = vocabulary.size();
  const json file = {{"normalizer", {{"type", normalizer}}},
                     {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", vocabulary}}}};
  const attune::testing::TemporaryFolder folder;
  return Tokenizer::from_file(folder.write("tokenizer.json", file.dump()));
}

std::string composed(const std::string& text) {
  std::string out;
  for (const auto& tagged : unicode::normalize(text, unicode::Form::nfc)) attune::append_utf8(out, tagged.character);
  return out;
}

}  // namespace

TEST_CASE("Characters that join the one in front of them are normalised, combining or not", "[text]") {
  const char* pairs[][2] = {{"e\u0301", "\u00e9"},       {"\u09c7\u09be", "\u09cb"}, {"\u0bc6\u0bbe", "\u0bca"},
                            {"\u0cc6\u0cc2", "\u0cca"},  {"\u1b05\u1b35", "\u1b06"}, {"\u1100\u1161", "\uac00"},
                            {"\uac00\u11a8", "\uac01"},  {"\u212b", "\u00c5"},       {"q\u0307\u0323", "q\u0323\u0307"}};
  for (const auto& [text, expected] : pairs) {
    for (const char* form : {"NFC", "NFKC"}) CHECK(naming(form, {expected}).encode({text}).ids == std::vector<std::int32_t>{1});
  }
}

TEST_CASE("A character that NFC changes counts as unstable", "[text]") {
  int stable = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text = "x";
    attune::append_utf8(text, c);
    if (unicode::has(c, unicode::nfc_unstable)) continue;
    ++stable;
    if (composed(text) != text) FAIL_CHECK("U+" << std::hex << static_cast<unsigned>(c));
  }
  CHECK(stable > 1'100'000);
}

TEST_CASE("Pieces that differ in NUL bytes or only far behind are told apart when they are remembered", "[text]") {
  using namespace std::string_literals;
  const std::vector<std::string> names = {"a",
                                          "a\0"s,
                                          "a\0\0"s,
                                          "seven b",
                                          "eight by",
                                          "eight b\0"s,
                                          "nine bytes"s,
                                          std::string(31, 'x'),
                                          std::string(30, 'x') + "y",
                                          std::string(32, 'x'),
                                          std::string(40, 'x')};
  const Tokenizer tokenizer = naming("Lowercase", names);
  for (int round = 0; round < 2; ++round) {  // learned, then remembered
    for (std::size_t i = 0; i < names.size(); ++i) {
      INFO(json(names[i]));
      CHECK(tokenizer.encode({names[i]}).ids == std::vector<std::int32_t>{static_cast<std::int32_t>(i) + 1});
      CHECK(tokenizer.encode({names[i] + "z"}).ids == std::vector<std::int32_t>{0});
    }
  }
}
