// The hand-written scanners of well-known patterns cut as the regex engine does. A group around a pattern keeps its
// meaning, but not its spelling, so the engine takes it.
#include <array>
#include <nlohmann/json.hpp>
#include <random>

#include "attune/base/utf8.h"
#include "attune/text/tokenizer.h"
#include "catch.h"
#include "temporary_folder.h"

using attune::text::Tokenizer;
using nlohmann::json;

namespace {

constexpr const char* kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// A tokenizer whose tokens are its pieces.
Tokenizer cutting_by(const json& pre_tokenizer) {
  const json file = {{"pre_tokenizer", pre_tokenizer},
                     {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"?", 0}}}}}};
  const attune::testing::TemporaryFolder folder;
  return Tokenizer::from_file(folder.write("tokenizer.json", file.dump()));
}

json split(const std::string& pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}};
}

struct Rivals {
  Tokenizer scanner, engine;
};

std::vector<Rivals> rivals() {
  std::vector<Rivals> all;
  for (const std::string pattern : {kGpt2, kQwen2, kLlama3}) {
    all.push_back({cutting_by(split(pattern)), cutting_by(split("(?:" + pattern + ")"))});
  }
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}};
  all.push_back({cutting_by(byte_level), cutting_by(split("(?:" + std::string(kGpt2) + ")"))});
  return all;
}

bool agree(const Rivals& pair, const std::string& text) {
  return pair.scanner.encode({text}).offsets == pair.engine.encode({text}).offsets;
}

}  // namespace

TEST_CASE("Scanners cut random text as the regex engine does", "[text]") {
  constexpr std::array<const char*, 34> kParts = {
      " ",      " ",      "  ",      "\n",     "\r",     "\t",         "\r\n",   "'",      "'s",
      "'S",     "'ll",    "'lL",     "'re",    "'R",     "'\u017f",    "\u017f", "a",      "Zz",
      "1",      "42",     "\u0663",  "\u2167", ".",      "?!",         "\u00a0", "\u3000", "\u2028",
      "\u0085", "\u180e", "e\u0301", "\u4f60", "\u0301", "\U0001f917", "_"};
  std::mt19937 random(7);
  std::size_t characters = 0;
  for (const Rivals& pair : rivals()) {
    for (int round = 0; round < 4000; ++round) {
      std::string text;
      for (std::size_t parts = random() % 12; parts > 0; --parts) text += kParts[random() % kParts.size()];
      characters += text.size();
      INFO(json(text));
      REQUIRE(agree(pair, text));
    }
  }
  CHECK(characters > 100000);
}

TEST_CASE("Scanners know the class of every code point as the regex engine does", "[text]") {
  for (const Rivals& pair : rivals()) {
    for (char32_t first = 0; first < 0x110000; first += 0x1000) {
      std::string text;
      for (char32_t c = first; c < first + 0x1000; ++c) {
        if (c >= 0xd800 && c < 0xe000) continue;
        for (const char32_t piece : {U'b', c, U'7', c, U'!', c, U' ', c}) attune::append_utf8(text, piece);
      }
      INFO("code points from " << static_cast<unsigned>(first));
      REQUIRE(agree(pair, text));
    }
  }
}
