// Text as it grows out of ids: parts of characters, stop strings over several tokens, what the prompt leaves behind.
#include "attune/infer/text.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "infer/tiny_tokenizer.h"
#include "models/golden.h"
#include "shared.h"

using namespace attune;
using namespace attune::infer;
using namespace attune::testing;

namespace {

using Ids = std::vector<std::int32_t>;

/// The tiny tokenizer with two more ids that are the two bytes of "é".
text::Tokenizer tokenizer_with_parts(const TemporaryFolder& folder) {
  auto json = nlohmann::ordered_json::parse(tiny_tokenizer_json());
  json["model"]["vocab"]["\u00c3"] = 32;
  json["model"]["vocab"]["\u00a9"] = 33;
  std::ofstream(folder / "tokenizer.json") << json.dump();
  return text::Tokenizer::from_folder(folder.path());
}

/// What push() gives for each id, and finish() in the end.
std::vector<std::string> pieces(TextStream& stream, const Ids& ids) {
  std::vector<std::string> found;
  for (std::size_t n = 1; n <= ids.size(); ++n) found.push_back(stream.push({ids.data(), n}));
  found.push_back(stream.finish());
  return found;
}

using Pieces = std::vector<std::string>;

}  // namespace

TEST_CASE("a character is given out when its last byte has come", "[infer]") {
  const TemporaryFolder folder;
  const text::Tokenizer tokenizer = tokenizer_with_parts(folder);
  const std::vector<std::string> none;
  TextStream stream(tokenizer, none, {});
  CHECK(pieces(stream, {6, 32, 33, 7}) == Pieces{"a", "", "é", "b", ""});
  TextStream cut(tokenizer, none, {});
  CHECK(pieces(cut, {6, 32}) == Pieces{"a", "", "\xEF\xBF\xBD"});
}

TEST_CASE("special tokens give no text", "[infer]") {
  const TemporaryFolder folder;
  const text::Tokenizer tokenizer = tokenizer_with_parts(folder);
  const std::vector<std::string> none;
  TextStream stream(tokenizer, none, {});
  CHECK(pieces(stream, {1, 6, 2, 7}) == Pieces{"", "a", "", "b", ""});
}

TEST_CASE("what may become a stop string is held back", "[infer]") {
  const TemporaryFolder folder;
  const text::Tokenizer tokenizer = tokenizer_with_parts(folder);
  const std::vector<std::string> stops{"abc", "x"};
  TextStream stopped(tokenizer, stops, {});
  CHECK(pieces(stopped, {7, 6, 7, 8, 9}) == Pieces{"b", "", "", "", "", ""});
  CHECK(stopped.stopped());
  CHECK(stopped.text() == "b");
  TextStream passed(tokenizer, stops, {});
  CHECK(pieces(passed, {6, 7, 6, 7}) == Pieces{"", "", "ab", "", "ab"});
  CHECK_FALSE(passed.stopped());
  CHECK(passed.text() == "abab");
}

TEST_CASE("a text goes on from its prompt, an answer begins anew", "[infer]") {
  ATTUNE_NEEDS_SHARED(shared);
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(shared + "/models/stories260K/hf");
  const Ids prompt = tokenizer.encode({.text = "Once upon a time"}).ids;
  const Ids whole = tokenizer.encode({.text = "Once upon a time was"}).ids;
  const Ids made(whole.begin() + static_cast<std::ptrdiff_t>(prompt.size()), whole.end());
  const std::vector<std::string> none;
  TextStream continued(tokenizer, none, prompt);
  continued.push(made);
  CHECK(continued.text() == " was");
  TextStream answer(tokenizer, none, {});
  answer.push(made);
  CHECK(answer.text() == "was");
}

TEST_CASE("texts end before stop strings, with one text and with beams", "[infer]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json") << tiny_tokenizer_json();
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(folder.path());
  const models::LoadedModel loaded = load_golden("llama_causal_lm");
  const std::vector<Ids> prompts{{6, 7, 8}};
  for (const std::int64_t beams : {1, 3}) {
    Generator generator(*loaded.model);
    GenerationOptions options;
    options.max_new_tokens = 9;
    options.num_beams = beams;
    const GeneratedText whole = generate_texts(generator, tokenizer, prompts, options, Beginning::continuation).front();
    REQUIRE(whole.text.size() >= 6);
    CHECK(whole.text == tokenizer.decode(whole.tokens.ids));
    if (beams > 1) continue;  // with a stop string other beams win
    const std::string stop = whole.text.substr(3, 2);
    const std::size_t at = whole.text.find(stop);
    options.stop_strings = {stop};
    std::string streamed;
    const GeneratedText cut = generate_texts(generator, tokenizer, prompts, options, Beginning::continuation,
                                             {.on_text = [&](std::size_t, std::string_view part) { streamed += part; }})
                                  .front();
    CHECK(cut.text == whole.text.substr(0, at));
    CHECK(streamed == cut.text);
    CHECK(cut.tokens.reason == FinishReason::stopped);
  }
}

TEST_CASE("beams end at stop strings", "[infer]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json") << tiny_tokenizer_json();
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(folder.path());
  const models::LoadedModel loaded = load_golden("llama_causal_lm");
  Generator generator(*loaded.model);
  GenerationOptions options;
  options.max_new_tokens = 9;
  options.num_beams = 2;
  options.early_stopping = "true";
  for (char letter = 'a'; letter <= 'z'; ++letter) options.stop_strings.emplace_back(1, letter);
  const std::vector<Ids> prompts{{6, 7, 8}};
  const GeneratedText text = generate_texts(generator, tokenizer, prompts, options, Beginning::continuation).front();
  CHECK(text.tokens.reason == FinishReason::stopped);
  CHECK(text.text.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos);
}
