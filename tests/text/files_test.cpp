// Folders and patterns that are refused, and patterns that take too long.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/text/tokenizer.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

using attune::testing::TemporaryFolder;
using attune::text::Tokenizer;
using nlohmann::json;

namespace {

constexpr const char* kVocabulary = R"({"a": 0, "b": 1, "ab": 2, "<s>": 3, "</s>": 4})";

/// A tokenizer whose tokens are the pieces of a Split.
Tokenizer splitting(const std::string& pattern) {
  const TemporaryFolder folder;
  const json file = {
      {"pre_tokenizer", {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}}},
      {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"?", 0}}}}}};
  return Tokenizer::from_file(folder.write("tokenizer.json", file.dump()));
}

}  // namespace

TEST_CASE("A folder that does not say which tokenizer it holds is refused", "[text]") {
  const TemporaryFolder folder;
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "neither tokenizer.json nor vocab.txt nor vocab.json");
  folder.write("vocab.json", kVocabulary);
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "neither tokenizer.json");
  folder.write("merges.txt", "#version: 0.2\na b\n");
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "nothing says which tokenizer");
  folder.write("config.json", R"({"model_type": "bert"})");
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "no tokenizer class is known");
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "CTRLTokenizer"})");
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "of a CTRLTokenizer are not supported");
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  CHECK(Tokenizer::from_folder(folder.path()).encode({"ab"}).ids == std::vector<std::int32_t>{2});
}

TEST_CASE("What is wrong in vocab.json, merges.txt or the settings is named with its place", "[text]") {
  const TemporaryFolder folder;
  folder.write("vocab.json", kVocabulary);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  const auto with_merges = [&](const char* merges) {
    folder.write("merges.txt", merges);
    return attune::testing::error_of([&] { Tokenizer::from_folder(folder.path()); }, attune::ErrorKind::model);
  };
  CHECK(with_merges("a b\nab\n").find("merges.txt: found 'ab', expected two tokens with a blank between (line 2)") !=
        std::string::npos);
  CHECK(with_merges("a b\n\n").find("(line 2)") != std::string::npos);
  CHECK(with_merges("a \xff\n").find("not valid UTF-8 (byte 2)") != std::string::npos);
  CHECK(with_merges("a c\n").find("vocab.json: the token 'c' is not in the vocabulary (model.merges[0])") !=
        std::string::npos);
  folder.write("merges.txt", "a b\r\n");
  CHECK(Tokenizer::from_folder(folder.path()).encode({"ab"}).ids == std::vector<std::int32_t>{2});
  folder.write("tokenizer_config.json",
               R"({"tokenizer_class": "GPT2Tokenizer", "added_tokens_decoder": {"x": {"content": "y"}}})");
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "is not a token id (added_tokens_decoder.x)");
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  folder.write("vocab.json", R"({"a": 0, "b": "1"})");
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "found string, expected a whole number (model.vocab.b)");
  folder.write("vocab.json", "[]");
  CHECK_RAISES(Tokenizer::from_folder(folder.path()), model, "this is not a JSON object");
}

TEST_CASE("Settings that change with tokenizer_config.json change the fingerprint of a folder without tokenizer.json",
          "[text]") {
  const TemporaryFolder folder;
  folder.write("vocab.json", kVocabulary);
  folder.write("merges.txt", "a b\n");
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  const std::string plain = Tokenizer::from_folder(folder.path()).fingerprint();
  CHECK(plain == Tokenizer::from_folder(folder.path()).fingerprint());
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": true})");
  CHECK(plain != Tokenizer::from_folder(folder.path()).fingerprint());
}

TEST_CASE("Two post-processors that do the same are refused", "[text]") {
  const TemporaryFolder folder;
  const json model = {{"type", "WordLevel"}, {"unk_token", "a"}, {"vocab", json::parse(kVocabulary)}};
  const json trims = {{"type", "ByteLevel"}, {"trim_offsets", true}, {"add_prefix_space", false}};
  const json special = {{"type", "BertProcessing"}, {"cls", {"<s>", 3}}, {"sep", {"</s>", 4}}};
  const auto load = [&](const json& processors) {
    const json file = {{"model", model}, {"post_processor", {{"type", "Sequence"}, {"processors", processors}}}};
    return Tokenizer::from_file(folder.write("tokenizer.json", file.dump()));
  };
  CHECK(load({trims, special}).num_special_tokens(true) == 3);
  CHECK_RAISES(load({trims, trims}), model,
               "a second post-processor that trims offsets is not supported (post_processor.processors[1]");
  CHECK_RAISES(load({special, special}), model, "a second post-processor that adds special tokens");
  CHECK_RAISES(load({special, trims}), model, "trimming behind the special tokens");
}

TEST_CASE("A pattern that takes too long ends in an error that names it", "[text]") {
  const auto nested = splitting("(a+)+$");
  CHECK_RAISES(nested.encode({std::string(40, 'a') + "b"}), model,
               "the pattern '(a+)+$' takes too long on a text: match limit exceeded");
  CHECK(nested.encode({std::string(40, 'a')}).size() == 1);
  // Every match fails quickly, but from every beginning anew: the square of the text.
  const auto square = splitting(" (?=[\\s\\p{Zs}]*x)");
  CHECK_RAISES(square.encode({std::string(200'000, ' ')}), model,
               "the pattern ' (?=[\\s\\p{Zs}]*x)' takes too long on a text: time limit exceeded");
  CHECK(square.encode({std::string(300, ' ') + "x" + std::string(300, ' ')}).size() == 301);
}

TEST_CASE("A match that lies far behind the last is found", "[text]") {
  const auto rare = splitting("\u00e9+");
  for (const std::string filler : {"x", "\u4f60"}) {
    for (const std::size_t far : {0, 1, 254, 255, 256, 257, 258, 259, 511, 512, 513, 514, 515, 516, 517, 5000}) {
      std::string text;
      while (text.size() < far) text += filler;
      const auto encoding = rare.encode({text + "\u00e9\u00e9 "});
      INFO(far << " bytes of " << filler);
      REQUIRE(encoding.size() == (far == 0 ? 2 : 3));
      const auto [begin, end] = encoding.offsets[far == 0 ? 0 : 1];
      CHECK(end - begin == 2);
    }
  }
}
