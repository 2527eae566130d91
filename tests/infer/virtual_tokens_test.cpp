// Generation, likelihoods and vectors of texts behind virtual tokens: what whole passes give, with the virtual tokens
// computed once for all texts.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "adapt/virtual_adapter.h"
#include "attune/infer/embeddings.h"
#include "attune/infer/generate.h"
#include "attune/infer/likelihood.h"
#include "raises.h"

using namespace attune;
using namespace attune::infer;
using namespace attune::testing;

namespace {

using SoftIds = std::vector<std::int32_t>;

constexpr std::int64_t kVirtual = 3;

/// Embeddings, or keys and values.
files::AdapterSettings soft_settings(bool keys) {
  return keys ? files::AdapterSettings(prefixes(kVirtual)) : files::AdapterSettings(prompts(kVirtual));
}

/// One text in one pass; prepare() puts the virtual tokens in front of it.
models::Input soft_input(const std::vector<std::int64_t>& ids) {
  models::Input input;
  input.ids = at::tensor(ids, at::kLong);
  input.positions = at::arange(input.ids.size(0), at::kLong);
  input.segments = at::zeros_like(input.ids);
  input.layout = nn::make_layout({static_cast<std::int32_t>(ids.size())});
  return input;
}

/// log p of the tokens [from, end).
std::vector<double> log_p_in_one_pass(const models::LoadedModel& loaded, const TextToScore& text) {
  const at::Tensor logits = logits_of(loaded, soft_input({text.ids.begin(), text.ids.end()}));
  const at::Tensor log_p = at::log_softmax(logits, -1);
  std::vector<double> found;
  for (auto i = static_cast<std::size_t>(text.from); i < text.ids.size(); ++i)
    found.push_back(log_p[static_cast<std::int64_t>(i) - 1][text.ids[i]].item<double>());
  return found;
}

/// Texts with common beginnings, of lengths on both sides of where long texts have other frequencies (9 and more
/// positions for phi3 and for the Llama of the test).
std::vector<TextToScore> soft_texts() {
  std::vector<TextToScore> texts;
  const SoftIds shared = {7, 3, 11};
  for (std::int32_t row = 0; row < 3; ++row) {
    for (std::int32_t answer = 0; answer < 3; ++answer) {
      SoftIds ids = shared;
      ids.insert(ids.end(), {4 + row, 9});
      const auto from = static_cast<std::int64_t>(ids.size());
      for (std::int32_t i = 0; i <= answer; ++i) ids.push_back(12 + answer + i);
      texts.push_back({.ids = ids, .from = from});
    }
  }
  texts.push_back({.ids = {7, 3}, .from = 1});
  texts.push_back({.ids = {7, 3, 11, 4, 9, 12}, .from = 1});
  return texts;
}

models::LoadedModel soft_model(const std::string& name, bool keys) {
  if (name != "dynamic") return with_adapter(name, soft_settings(keys));
  EditedCheckpoint checkpoint("llama_causal_lm");
  checkpoint.config["max_position_embeddings"] = 8;
  checkpoint.config["rope_parameters"] = {{"rope_type", "dynamic"}, {"rope_theta", 10000.0}, {"factor", 2.0}};
  models::LoadedModel loaded = checkpoint.load();
  adapt::start_adapter(loaded, options_of(soft_settings(keys)), 1);
  return loaded;
}

}  // namespace

TEST_CASE("generation behind virtual tokens is that of whole passes", "[virtual][infer]") {
  const at::NoGradGuard no_grad;
  for (const std::string golden : {"gpt2_causal_lm", "llama_causal_lm"}) {
    for (const bool keys : {false, true}) {
      INFO(golden << (keys ? " keys" : " embeddings"));
      const models::LoadedModel loaded = soft_model(golden, keys);
      GenerationOptions options;
      options.max_new_tokens = 4;
      options.repetition_penalty = 1.1;  // looks at the words alone
      const std::vector<SoftIds> prompts{{3, 7, 5}, {3, 7, 9, 4}, {11}};
      Generator generator(*loaded.model);
      for (const int times : {1, 2}) {  // the second time with what the first has left in the cache
        INFO(times);
        const auto made = generator.generate(prompts, options);
        for (std::size_t i = 0; i < prompts.size(); ++i) {
          std::vector<std::int64_t> ids(prompts[i].begin(), prompts[i].end());
          for (const std::int32_t token : made[i].ids) {
            at::Tensor scores = logits_of(loaded, soft_input(ids))[-1].clone();
            for (const std::int64_t id : std::set<std::int64_t>(ids.begin(), ids.end())) {
              const double score = scores[id].item<double>();
              scores[id] = score < 0 ? score * 1.1 : score / 1.1;
            }
            CHECK(scores.argmax().item<std::int64_t>() == token);
            ids.push_back(token);
          }
        }
      }
      options.num_beams = 3;
      CHECK(generator.generate(prompts, options).size() == prompts.size());
    }
  }
}

TEST_CASE("virtual tokens go through the network once for all prompts", "[virtual][infer]") {
  for (const bool keys : {false, true}) {
    const models::LoadedModel loaded = soft_model("llama_causal_lm", keys);
    Generator generator(*loaded.model);
    GenerationOptions options;
    options.max_new_tokens = 1;
    generator.generate(std::vector<SoftIds>{{3, 7, 5}, {4, 7}, {11}}, options);
    CHECK(generator.computed_tokens() == (keys ? 0 : kVirtual) + 3 + 2 + 1);
  }
}

TEST_CASE("log probabilities behind virtual tokens are those of whole passes", "[virtual][infer]") {
  const at::NoGradGuard no_grad;
  const std::vector<TextToScore> texts = soft_texts();
  for (const std::string name :
       {"gpt2_causal_lm", "llama_causal_lm", "gemma2_causal_lm", "phi3_causal_lm", "dynamic"}) {
    for (const bool keys : {false, true}) {
      INFO(name << (keys ? " keys" : " embeddings"));
      const models::LoadedModel loaded = soft_model(name, keys);
      for (const std::int64_t bytes : {1, 20'000, 1 << 30}) {
        INFO(bytes);
        const Likelihoods found = likelihoods(*loaded.model, texts, {.cache_bytes = bytes});
        for (std::size_t i = 0; i < texts.size(); ++i) {
          INFO("text " << i);
          const std::vector<double> want = log_p_in_one_pass(loaded, texts[i]);
          REQUIRE(found.log_probabilities[i].size() == want.size());
          for (std::size_t k = 0; k < want.size(); ++k) CHECK(std::abs(found.log_probabilities[i][k] - want[k]) < 1e-5);
        }
      }
    }
  }
}

TEST_CASE("scoring behind virtual tokens costs them once", "[virtual][infer]") {
  const std::vector<TextToScore> texts = soft_texts();
  const models::LoadedModel bare = load_golden("gpt2_causal_lm");
  const Likelihoods without = likelihoods(*bare.model, texts);
  for (const bool keys : {false, true}) {
    const models::LoadedModel loaded = soft_model("gpt2_causal_lm", keys);
    const Likelihoods found = likelihoods(*loaded.model, texts);
    CHECK(found.tokens == without.tokens);
    CHECK(found.computed_tokens == without.computed_tokens + (keys ? 0 : kVirtual));
    CHECK(std::abs(found.log_probabilities[0][0] - without.log_probabilities[0][0]) > 1e-3);
  }
}

TEST_CASE("texts that fit only without virtual tokens are named", "[virtual][infer]") {
  const models::LoadedModel loaded = soft_model("gpt2_causal_lm", false);
  const std::int64_t most = loaded.model->spec().max_tokens();
  const std::vector<TextToScore> fits = {{.ids = SoftIds(static_cast<std::size_t>(most - kVirtual), 1)}};
  CHECK_NOTHROW(likelihoods(*loaded.model, fits));
  const std::vector<TextToScore> texts = {{.ids = SoftIds(static_cast<std::size_t>(most - kVirtual + 1), 1)}};
  CHECK_RAISES(likelihoods(*loaded.model, texts), data, "the model takes at most");
  CHECK_RAISES(generate(*loaded.model, std::vector<SoftIds>{texts.front().ids}, {}), data, "the model takes at most");
}

TEST_CASE("vectors of texts are means over their own tokens", "[virtual][infer]") {
  const at::NoGradGuard no_grad;
  for (const bool keys : {false, true}) {
    const models::LoadedModel loaded = soft_model("llama_causal_lm", keys);
    const std::vector<SoftIds> texts = {{3, 7, 5}, {11}};
    const at::Tensor found = embeddings(*loaded.model, texts);
    models::Context context = loaded.model->prepare(soft_input({3, 7, 5}), false);
    at::Tensor hidden;
    context.trace = [&](const std::string& name, const at::Tensor& value) {
      if (name == "hidden." + std::to_string(loaded.model->depth())) hidden = value;
    };
    models::forward(*loaded.model, context);
    REQUIRE(hidden.size(0) == 3);
    const at::Tensor mean = hidden.mean(0);
    CHECK(worst(found[0], mean / mean.norm()) < 1e-5);
  }
}
