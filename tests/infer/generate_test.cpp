// Generated ids against Transformers' generate(), and against attune itself: with neighbours, kept keys, shared
// beginnings.
#include "attune/infer/generate.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "../../src/infer/passes.h"
#include "attune/infer/generation_config.h"
#include "infer/golden_options.h"
#include "models/golden.h"
#include "raises.h"
#include "shared.h"
#include "without_kernels.h"

using namespace attune;
using namespace attune::infer;
using namespace attune::testing;

namespace {

using Ids = std::vector<std::int32_t>;
using files::Json;

const std::vector<std::string>& causal_models() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const std::string& name : kGoldenModels) {
      if (name.ends_with("_causal_lm")) found.push_back(name);
    }
    return found;
  }();
  return names;
}

std::vector<Ids> ids_of(const std::vector<Generated>& results) {
  std::vector<Ids> ids;
  for (const Generated& result : results) ids.push_back(result.ids);
  return ids;
}

GenerationOptions greedy(std::int64_t tokens) {
  GenerationOptions options;
  options.max_new_tokens = tokens;
  return options;
}

/// The logits behind ids, all of them in one pass.
at::Tensor recomputed(const models::LoadedModel& loaded, const Ids& ids) {
  Passes passes(*loaded.model);
  Row row{.ids = ids, .cached = {}};
  Row* const rows[] = {&row};
  return passes.next_logits(rows);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace

TEST_CASE("generated ids and beam scores are those of Transformers, also in a ragged batch", "[infer]") {
  for (const Json& golden : files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/infer/generate.json")) {
    INFO(golden["model"] << " " << golden["options"].dump());
    EditedCheckpoint checkpoint(golden["model"].get<std::string>());
    if (golden.contains("config")) checkpoint.config.update(golden["config"]);
    const models::LoadedModel loaded = checkpoint.load();
    const auto prompts = golden["prompts"].get<std::vector<Ids>>();
    for (const std::int64_t batch_size : {1, 16}) {
      GenerationOptions options = attune::testing::golden_options(golden["options"]);
      options.batch_size = batch_size;
      const std::vector<Generated> results = generate(*loaded.model, prompts, options);
      CHECK(ids_of(results) == golden["ids"].get<std::vector<Ids>>());
      for (std::size_t i = 0; golden.contains("scores") && i < results.size(); ++i) {
        CHECK(results[i].score == Approx(golden["scores"][i].get<double>()).margin(1e-5));
      }
    }
  }
}

TEST_CASE("the logits behind kept keys are those of one pass over the whole text", "[infer]") {
  for (const std::string& name : causal_models()) {
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    Passes passes(*loaded.model);
    Row row{.ids = {7, 3, 11}, .cached = {}};
    Row other{.ids = {9}, .cached = {}};
    Row* const rows[] = {&row, &other};
    for (std::int32_t next = 4; next < 12; ++next) {
      const at::Tensor logits = passes.next_logits(rows);
      CHECK(distance(logits[0], recomputed(loaded, row.ids)[0]) < 1e-5);
      CHECK(distance(logits[1], recomputed(loaded, other.ids)[0]) < 1e-5);
      row.ids.push_back(next);
      other.ids.push_back(30 - next);
      if (next % 3 == 0) other.ids.push_back(next);  // two tokens in one pass
    }
  }
}

TEST_CASE("kept keys serve attention in plain operators too", "[infer]") {
  for (const std::string name : {"gemma2_causal_lm", "qwen2_causal_lm"}) {  // capped scores, a window
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    const std::vector<Ids> prompts{{7, 3, 11}, {9}};
    const std::vector<Ids> fused = ids_of(generate(*loaded.model, prompts, greedy(8)));
    const WithoutKernels plain;
    CHECK(ids_of(generate(*loaded.model, prompts, greedy(8))) == fused);
  }
}

TEST_CASE("texts that share pages do not disturb each other", "[infer]") {
  const models::LoadedModel loaded = load_golden("llama_causal_lm");
  Passes passes(*loaded.model);
  Row first{.ids = {}, .cached = {}};
  for (std::int32_t i = 0; i < 40; ++i) first.ids.push_back(i * 7 % 31);
  Row* const alone[] = {&first};
  passes.next_logits(alone);
  std::vector<Row> branches;
  for (std::int32_t i = 0; i < 5; ++i) {
    Row branch = first;
    branch.cached = passes.reusable(first.cached, 40 - 7 * i, 100);
    branch.ids.resize(40 - 7 * i);
    branch.ids.push_back(i);
    branches.push_back(std::move(branch));
  }
  std::vector<Row*> rows{&first};
  for (Row& branch : branches) rows.push_back(&branch);
  first.ids.push_back(9);
  for (std::int32_t step = 0; step < 20; ++step) {
    const at::Tensor logits = passes.next_logits(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(distance(logits[static_cast<std::int64_t>(i)], recomputed(loaded, rows[i]->ids)[0]) < 1e-5);
      rows[i]->ids.push_back((step + static_cast<std::int32_t>(i)) % 31);
    }
  }
}

TEST_CASE("a common beginning goes through the network once, and so does what a chat's turn repeats", "[infer]") {
  const models::LoadedModel loaded = load_golden("llama_causal_lm");
  const Ids beginning{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::vector<Ids> prompts(3, beginning);
  prompts[1].insert(prompts[1].end(), {11, 12});
  prompts[2].push_back(3);
  Generator generator(*loaded.model);
  const std::vector<Generated> together = generator.generate(prompts, greedy(4));
  CHECK(generator.computed_tokens() == 9 + (1 + 3 + 2) + 3 * 3);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CHECK(together[i].ids == generate(*loaded.model, std::vector<Ids>{prompts[i]}, greedy(4)).front().ids);
  }

  Generator chat(*loaded.model);
  Ids turns = beginning;
  const Ids answer = chat.generate(std::vector<Ids>{turns}, greedy(4)).front().ids;
  CHECK(chat.computed_tokens() == 10 + 3);
  turns.insert(turns.end(), answer.begin(), answer.end());
  turns.insert(turns.end(), {20, 21});
  const Ids second = chat.generate(std::vector<Ids>{turns}, greedy(4)).front().ids;
  CHECK(chat.computed_tokens() == 13 + (1 + 2) + 3);  // the last token of the answer was never fed
  CHECK(second == generate(*loaded.model, std::vector<Ids>{turns}, greedy(4)).front().ids);
}

TEST_CASE("keys are not shared where their positions were computed for another length", "[infer]") {
  const auto shared = [](const models::LoadedModel& loaded, std::int64_t length) {
    Passes passes(*loaded.model);
    Row row{.ids = {7, 3, 11, 4}, .cached = {}};
    Row* const rows[] = {&row};
    passes.next_logits(rows);
    return passes.reusable(row.cached, 4, length).length;
  };
  const models::LoadedModel phi3 = load_golden("phi3_causal_lm");  // longrope, long behind 8
  CHECK(shared(phi3, 8) == 4);
  CHECK(shared(phi3, 9) == 0);
  EditedCheckpoint checkpoint("llama_causal_lm");
  checkpoint.config["max_position_embeddings"] = 6;
  checkpoint.config["rope_parameters"] = {{"rope_type", "dynamic"}, {"rope_theta", 10000.0}, {"factor", 2.0}};
  const models::LoadedModel dynamic = checkpoint.load();
  CHECK(shared(dynamic, 6) == 4);
  CHECK(shared(dynamic, 7) == 0);
}

TEST_CASE("draws depend on seed, prompt and step alone", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");
  const std::vector<Ids> prompts{{3, 4}, {5}, {3, 4}};
  GenerationOptions options = greedy(8);
  options.do_sample = true;
  options.top_k = 0;
  const std::vector<Ids> drawn = ids_of(generate(*loaded.model, prompts, options));
  CHECK(drawn == ids_of(generate(*loaded.model, prompts, options)));
  CHECK(drawn[0] != drawn[2]);
  CHECK(drawn[0] == ids_of(generate(*loaded.model, std::vector<Ids>{prompts[0]}, options))[0]);
  options.seed = 7;
  CHECK(drawn != ids_of(generate(*loaded.model, prompts, options)));
  options.top_k = 1;
  CHECK(ids_of(generate(*loaded.model, prompts, options)) == ids_of(generate(*loaded.model, prompts, greedy(8))));
  options.num_beams = 3;
  CHECK(ids_of(generate(*loaded.model, prompts, options)) == ids_of(generate(*loaded.model, prompts, options)));
}

TEST_CASE("texts end by token, by hook, by number and where positions end", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");  // 12 positions
  const std::vector<Ids> prompt{{3, 4, 9}};
  const Generated whole = generate(*loaded.model, prompt, greedy(100)).front();
  CHECK(whole.ids.size() == 10);  // the twelfth token still has a successor
  CHECK(whole.reason == FinishReason::length);
  GenerationOptions options = greedy(8);
  options.eos_token_id = {whole.ids[3]};
  const Generated ended = generate(*loaded.model, prompt, options).front();
  CHECK(ended.reason == FinishReason::end_token);
  CHECK(ended.ids.back() == whole.ids[3]);
  GenerationHooks hooks;
  std::vector<std::size_t> told;
  hooks.on_token = [&](std::size_t, std::span<const std::int32_t> ids) { told.push_back(ids.size()); };
  hooks.stops = [](std::size_t, std::span<const std::int32_t> ids) { return ids.size() == 2; };
  const Generated stopped = generate(*loaded.model, prompt, greedy(8), hooks).front();
  CHECK(stopped.reason == FinishReason::stopped);
  CHECK(told == std::vector<std::size_t>{1, 2});
}

TEST_CASE("all texts can be stopped after a pass, those that are complete are kept", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");
  const std::vector<Ids> prompts{{3, 4, 9}, {5}, {7}};
  GenerationOptions options = greedy(4);
  options.batch_size = 1;
  std::vector<std::size_t> told;
  GenerationHooks hooks;
  hooks.stops_all = [&](std::size_t complete) {
    told.push_back(complete);
    return told.size() == 5;
  };
  const std::vector<Generated> results = generate(*loaded.model, prompts, options, hooks);
  CHECK(told == std::vector<std::size_t>{0, 0, 0, 1, 1});
  CHECK(results[0].ids == generate(*loaded.model, prompts, options).front().ids);
  CHECK(results[1].ids.empty());
  CHECK(results[2].ids.empty());
}

TEST_CASE("prompts and models that cannot be used are named", "[infer]") {
  const models::LoadedModel gpt2 = load_golden("gpt2_causal_lm");
  CHECK_RAISES(generate(*gpt2.model, std::vector<Ids>{{1}, {}}, greedy(2)), data, "no tokens (prompt 2)");
  CHECK_RAISES(generate(*gpt2.model, std::vector<Ids>{{1, 32}}, greedy(2)), data,
               "id 32 is not in the vocabulary of 32");
  CHECK_RAISES(generate(*gpt2.model, std::vector<Ids>{Ids(13, 1)}, greedy(2)), data,
               "it has 13 tokens, the model takes at most 12");
  GenerationOptions options;
  options.max_length = 3;
  CHECK_RAISES(generate(*gpt2.model, std::vector<Ids>{{1, 2, 3}}, options), data, "max_length is 3");
  CHECK(generate(*gpt2.model, std::vector<Ids>{{1}}, options).front().ids.size() == 2);
  const models::LoadedModel bert = load_golden("bert_masked_lm");
  CHECK_RAISES(Generator(*bert.model), model, "no causal language model");
}

TEST_CASE("stories260K continues its prompts greedily as in Transformers", "[infer]") {
  ATTUNE_NEEDS_SHARED(shared);
  models::LoadOptions load;
  load.task = models::Task::causal_lm;
  const models::LoadedModel loaded = models::load_model(shared + "/models/stories260K/hf", load);
  std::vector<Ids> prompts, expected;
  const Json reference = files::read_json(shared + "/models/stories260K/expected.json");
  for (const Json& prompt : reference.at("prompts")) {
    prompts.push_back(prompt.at("input_ids").get<Ids>());
    const auto all = prompt.at("greedy_ids_80").get<Ids>();
    expected.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(prompts.back().size()), all.end());
  }
  REQUIRE_FALSE(prompts.empty());
  const std::vector<Generated> results = generate(*loaded.model, prompts, greedy(80));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    Ids made = results[i].ids;
    made.resize(std::min(made.size(), expected[i].size()));
    CHECK(made == expected[i]);
  }
}
