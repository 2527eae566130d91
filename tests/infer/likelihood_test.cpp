// Log probabilities of texts against Transformers, and against each text alone: whatever is shared, cut into blocks or
// scored beside it.
#include "attune/infer/likelihood.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "attune/base/random.h"
#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::infer;
using namespace attune::testing;

namespace {

using LikelihoodIds = std::vector<std::int32_t>;

std::vector<TextToScore> texts_of(const files::Json& golden) {
  std::vector<TextToScore> texts;
  for (const auto& text : golden)
    texts.push_back({.ids = text["ids"].get<LikelihoodIds>(), .from = text["from"].get<std::int64_t>()});
  return texts;
}

double largest_difference(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t j = 0; j < a[i].size(); ++j) largest = std::max(largest, std::abs(a[i][j] - b[i][j]));
  }
  return largest;
}

std::vector<std::vector<double>> one_by_one(const models::Model& model, const std::vector<TextToScore>& texts) {
  std::vector<std::vector<double>> all;
  for (const TextToScore& text : texts)
    all.push_back(likelihoods(model, std::span(&text, 1)).log_probabilities.front());
  return all;
}

/// Prompts that share a context, each with the same answers.
std::vector<TextToScore> prompts_with_answers() {
  const RandomKey key{3, "texts"};
  std::uint64_t draws = 0;
  const auto draw = [&](std::size_t count) {
    LikelihoodIds ids(count);
    for (auto& id : ids) id = static_cast<std::int32_t>(1 + key.bits(draws++) % 20);
    return ids;
  };
  std::vector<TextToScore> texts;
  const std::vector<LikelihoodIds> answers = {{21}, {22}, {23, 24}, {23, 25, 26}};
  for (int context = 0; context < 3; ++context) {
    const LikelihoodIds shared = draw(5);
    for (int row = 0; row < 4; ++row) {
      LikelihoodIds prompt = shared;
      const LikelihoodIds own = draw(3);
      prompt.insert(prompt.end(), own.begin(), own.end());
      for (const LikelihoodIds& answer : answers) {
        TextToScore text{.ids = prompt, .from = static_cast<std::int64_t>(prompt.size())};
        text.ids.insert(text.ids.end(), answer.begin(), answer.end());
        texts.push_back(std::move(text));
      }
    }
  }
  return texts;
}

}  // namespace

TEST_CASE("log probabilities of texts are those of Transformers", "[infer]") {
  for (const auto& golden : files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/infer/likelihood.json")) {
    INFO(golden["model"]);
    EditedCheckpoint checkpoint(golden["model"].get<std::string>());
    if (golden.contains("config")) checkpoint.config.update(golden["config"]);
    const models::LoadedModel loaded = checkpoint.load();
    const Likelihoods found = likelihoods(*loaded.model, texts_of(golden["texts"]));
    CHECK(largest_difference(found.log_probabilities,
                             golden["log_probabilities"].get<std::vector<std::vector<double>>>()) < 1e-5);
  }
}

TEST_CASE("what a text gets does not depend on its neighbours, nor on the memory for keys", "[infer]") {
  for (const std::string name : {"gpt2_causal_lm", "llama_causal_lm", "gemma2_causal_lm"}) {
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    std::vector<TextToScore> texts = prompts_with_answers();
    texts.push_back({.ids = texts[5].ids, .from = 1});  // a whole text, which wants what others only pass through
    texts.push_back(texts[5]);
    texts.push_back({.ids = {4}, .from = 1});  // nothing of it is scored
    const auto alone = one_by_one(*loaded.model, texts);
    for (const std::int64_t bytes : {1, 20'000, 1 << 30}) {
      INFO(bytes);
      CHECK(largest_difference(likelihoods(*loaded.model, texts, {.cache_bytes = bytes}).log_probabilities, alone) <
            1e-5);
    }
  }
}

TEST_CASE("scoring costs the distinct beginnings of texts without their last tokens", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");
  const std::vector<TextToScore> texts = prompts_with_answers();
  std::set<LikelihoodIds> beginnings;
  std::int64_t tokens = 0;
  for (const TextToScore& text : texts) {
    tokens += static_cast<std::int64_t>(text.ids.size());
    for (std::size_t length = 1; length < text.ids.size(); ++length) {
      beginnings.insert({text.ids.begin(), text.ids.begin() + static_cast<std::ptrdiff_t>(length)});
    }
  }
  const Likelihoods found = likelihoods(*loaded.model, texts);
  CHECK(found.tokens == tokens);
  CHECK(found.computed_tokens == static_cast<std::int64_t>(beginnings.size()));
}

TEST_CASE("scoring can be stopped", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");
  std::vector<std::size_t> seen;
  const auto stop = [&](std::size_t complete) {
    seen.push_back(complete);
    return complete > 0;
  };
  const std::vector<TextToScore> texts = prompts_with_answers();
  const Likelihoods found = likelihoods(*loaded.model, texts, {.cache_bytes = 1, .stops = stop});
  CHECK(seen.back() == 1);
  CHECK(found.computed_tokens < 30);
}

TEST_CASE("texts that a model cannot score are named", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");
  const auto score = [&](const LikelihoodIds& ids) {
    const std::vector<TextToScore> texts = {{.ids = {1, 2}}, {.ids = ids}};
    likelihoods(*loaded.model, texts);
  };
  CHECK_RAISES(score({1, 1'000'000}), data, "text 2");
  CHECK_RAISES(score(LikelihoodIds(5000, 1)), data, "text 2");
  CHECK_RAISES(score({}), data, "no tokens");
  const models::LoadedModel encoder = load_golden("bert_sequence");
  const std::vector<TextToScore> texts = {{.ids = {1, 2}}};
  CHECK_RAISES(likelihoods(*encoder.model, texts), model, "no causal language model");
}
