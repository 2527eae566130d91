// Byte-pair encoding where the goldens do not reach: long words, both ways of merging, errors of files.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "attune/text/tokenizer.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"
#include "text/goldens.h"

using attune::text::Tokenizer;
using nlohmann::json;

namespace {

Tokenizer load(const json& file) {
  const attune::testing::TemporaryFolder folder;
  return Tokenizer::from_file(folder.write("tokenizer.json", file.dump()));
}

/// Doubling merges: a a → aa, aa aa → aaaa, … up to 64.
json doubling() {
  json vocabulary = {{"a", 0}}, merges = json::array();
  for (std::string half = "a"; half.size() < 64; half += half) {
    merges.push_back({half, half});
    vocabulary[half + half] = vocabulary.size();
  }
  return {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}};
}

json merge(const char* first, const char* second) {
  return json::array({json::array({first, second})});
}

json small_model() {
  return {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}}, {"merges", merge("a", "b")}};
}

/// Merges naively: the lowest rank, of equals the leftmost, again and again.
std::vector<std::string> merged(std::vector<std::string> word, const json& merges) {
  while (true) {
    std::size_t best = word.size(), best_rank = merges.size();
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank][0] == word[i] && merges[rank][1] == word[i + 1]) {
          best = i;
          best_rank = rank;
        }
      }
    }
    if (best == word.size()) return word;
    word[best] += word[best + 1];
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

/// A random model over a, b, c, whose merges need not be in an order that training would give.
json random_model(std::mt19937& random) {
  std::vector<std::string> tokens = {"a", "b", "c"};
  json merges = json::array();
  for (int i = 0; i < 12; ++i) {
    const std::string first = tokens[random() % tokens.size()], second = tokens[random() % tokens.size()];
    if (first.size() + second.size() > 8) continue;
    merges.push_back({first, second});
    if (std::find(tokens.begin(), tokens.end(), first + second) == tokens.end()) tokens.push_back(first + second);
  }
  std::shuffle(merges.begin(), merges.end(), random);
  std::sort(merges.begin(), merges.end());
  merges.erase(std::unique(merges.begin(), merges.end()), merges.end());
  std::shuffle(merges.begin(), merges.end(), random);
  json vocabulary;
  for (std::size_t id = 0; id < tokens.size(); ++id) vocabulary[tokens[id]] = id;
  return {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}};
}

std::string message_of(const json& model) {
  return attune::testing::error_of([&] { load({{"model", model}}); }, attune::ErrorKind::model);
}

}  // namespace

TEST_CASE("BPE of a word of a million letters is quick and right", "[text]") {
  const Tokenizer tokenizer = load({{"model", doubling()}});
  const std::string text(1'000'003, 'a');
  const auto start = std::chrono::steady_clock::now();
  const auto encoding = tokenizer.encode({text}, {.with_tokens = false});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  REQUIRE(encoding.size() == 1'000'000 / 64 + 2);
  CHECK(encoding.ids[0] == 6);
  CHECK(encoding.ids[encoding.size() - 2] == 1);
  CHECK(encoding.ids.back() == 0);
  CHECK(encoding.offsets.back() == std::pair<std::uint32_t, std::uint32_t>(1'000'002, 1'000'003));
  CHECK(seconds.count() < 5);  // what grows with the square would take hours
}

TEST_CASE("BPE merges as the definition says, in short words and in long ones", "[text]") {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const json model = random_model(random);
    const Tokenizer tokenizer = load({{"model", model}});
    std::vector<std::string> letters(1 + random() % (round % 3 == 0 ? 80 : 31));
    std::string text;
    for (std::string& letter : letters) text += letter = std::string(1, static_cast<char>('a' + random() % 3));
    INFO(text << " with " << model["merges"]);
    CHECK(tokenizer.encode({text}).tokens == merged(letters, model["merges"]));
  }
}

TEST_CASE("Raw bytes and characters of the byte alphabet are merged alike", "[text]") {
  json model = attune::testing::read_golden("models.json")["bytes"];
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  const Tokenizer raw = load({{"model", model}, {"pre_tokenizer", byte_level}});
  const json id = model["vocab"]["\u00f5"];  // of byte F5, which no UTF-8 has; without it the model reads characters
  model["vocab"].erase("\u00f5");
  model["vocab"]["unused"] = id;
  const Tokenizer written = load({{"model", model}, {"pre_tokenizer", byte_level}});
  for (const char* text : {"the cat's naïve café 你好 🤗\u00ad\u0000", "e\u0301 \t\n  x", "\U0010ffff\u0080"}) {
    const auto a = raw.encode({text}), b = written.encode({text});
    CHECK(a.ids == b.ids);
    CHECK(a.offsets == b.offsets);
  }
}

TEST_CASE("What a BPE file has wrong is named with its place", "[text]") {
  json model = small_model();
  model["dropout"] = 0.1;
  CHECK(message_of(model).find("BPE dropout is not supported") != std::string::npos);
  CHECK(message_of(model).find("(model.dropout)") != std::string::npos);
  model = small_model();
  model["dropout"] = 0.0;
  CHECK(load({{"model", model}}).encode({"ab"}).ids == std::vector<std::int32_t>{2});
  model = small_model();
  model["merges"] = merge("a", "c");
  CHECK(message_of(model).find("'c' is not in the vocabulary (model.merges[0])") != std::string::npos);
  model["merges"] = merge("b", "a");
  CHECK(message_of(model).find("'ba' is not in the vocabulary (model.merges[0])") != std::string::npos);
  model["merges"] = json::array({"a b", "a  b"});
  CHECK(message_of(model).find("expected two tokens with a blank between (model.merges[1])") != std::string::npos);
  model["merges"] = json::array({json::array({"a", "b", "c"})});
  CHECK(message_of(model).find("found 3 tokens, expected two (model.merges[0])") != std::string::npos);
  model["merges"] = json::array({json::array({"a", 7})});
  CHECK(message_of(model).find("expected a string (model.merges[0][1])") != std::string::npos);
  model = small_model();
  model["continuing_subword_prefix"] = "##";  // longer than the second token
  CHECK(message_of(model).find("'b' lacks the prefix '##' (model.merges[0])") != std::string::npos);
  model["merges"] = json::array();
  model["byte_fallback"] = true;
  CHECK(message_of(model).find("(model.byte_fallback)") != std::string::npos);
}

TEST_CASE("An unknown token that the vocabulary lacks is an error only where a text needs it", "[text]") {
  json model = small_model();
  model["unk_token"] = "<unk>";
  const Tokenizer tokenizer = load({{"model", model}});
  CHECK(tokenizer.encode({"ab"}).ids == std::vector<std::int32_t>{2});
  CHECK_RAISES(tokenizer.encode({"abc"}), model, "needs the unknown token '<unk>'");
}
