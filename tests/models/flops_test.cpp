// FLOP by formula against counts by hand, from the sizes of the golden models. (torch's FlopCounterMode counts the same for full
// training of Transformers' classes, but that it has whole squares of attention in causal models and all rows in the last layer.)
#include "attune/models/flops.h"

#include "attune/adapt/adapter.h"
#include "catch.h"
#include "models/golden.h"

using namespace attune;
using namespace attune::testing;
using models::FlopCount;
using models::PassSize;

namespace {

// Both models have two blocks of hidden size 16 with an inner size of 20, and see these texts: 8 tokens.
const PassSize kTexts{.lengths = {3, 5}, .wanted = 4};
constexpr int kEnd = 4;  // embeddings, two blocks, head

std::vector<bool> all_train(const models::Model& model) {
  return std::vector<bool>(model.parameters().size(), true);
}

/// What only stages from `lowest` on read trains.
std::vector<bool> train_from(const models::Model& model, int lowest) {
  std::vector<bool> flags;
  for (const models::Parameter& parameter : model.parameters()) flags.push_back(parameter.stages.front() >= lowest);
  return flags;
}

// BERT: query, key, value and output are 16 × 16, that is 512 FLOP a row, the feed-forward layers 16 × 20, that is 640. The
// head is 512 for the pooler and 96 for three labels. In the last block keys and values have 8 rows, the rest 2.
constexpr double kBertFirst = 8 * (4 * 512 + 2 * 640) + 4 * 16 * (9 + 25);
constexpr double kBertLast = 8 * 2 * 512 + 2 * (2 * 512 + 2 * 640) + 4 * 16 * (3 + 5);
constexpr double kBertHead = 2 * (512 + 96);

// Llama: keys and values of two heads of four are 16 × 8, that is 256 a row; gate, up and down are 640 each. 32 words are
// 1024 for each of the 4 tokens whose logits are wanted. A token sees itself and those before it: 6 and 15 pairs.
constexpr double kLlamaBlock = 8 * (2 * 512 + 2 * 256 + 3 * 640) + 4 * 16 * (6 + 15);
constexpr double kLlamaHead = 4 * 1024;

}  // namespace

TEST_CASE("FLOP of an encoder are those of a count by hand", "[models][flops]") {
  const models::LoadedModel loaded = load_golden("bert_sequence");
  const models::Model& model = *loaded.model;
  const FlopCount full(model, all_train(model));
  CHECK(full.forward(kTexts, 0, 1) == 0);
  CHECK(full.forward(kTexts, 1, 2) == kBertFirst);
  CHECK(full.forward(kTexts, 2, 3) == kBertLast);
  CHECK(full.forward(kTexts, 0, kEnd) == kBertFirst + kBertLast + kBertHead);
  CHECK(full.forward(kTexts, 0, kEnd) == 43328);
  CHECK(full.backward(kTexts) == 2 * 43328);
  CHECK(FlopCount(model).backward(kTexts) == 0);
}

TEST_CASE("texts in one pass cost what they cost alone", "[models][flops]") {
  for (const char* name : {"bert_sequence", "llama_causal_lm", "mistral_sequence"}) {
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    const FlopCount count(*loaded.model, all_train(*loaded.model));
    const PassSize one{.lengths = {3}, .wanted = 1}, other{.lengths = {5}, .wanted = 3};
    CHECK(count.forward(kTexts, 0, kEnd) == count.forward(one, 0, kEnd) + count.forward(other, 0, kEnd));
    CHECK(count.backward(kTexts) == count.backward(one) + count.backward(other));
    CHECK(count.forward({.lengths = {8}, .wanted = 4}, 0, kEnd) != count.forward(kTexts, 0, kEnd));
  }
}

TEST_CASE("what is frozen below has no gradients", "[models][flops]") {
  const models::LoadedModel loaded = load_golden("bert_sequence");
  const models::Model& model = *loaded.model;
  // The head alone: the pooler's weight; the labels' weight and what they read.
  CHECK(FlopCount(model, train_from(model, 3)).backward(kTexts) == 2 * (512 + 2 * 96));
  // The last block too: its query, key and value get the gradient of their weights, but give none to the block below.
  const double attended = 2 * 4 * 16 * (3 + 5), projected = 2 * 512 + 8 * 2 * 512, above = 2 * 2 * (512 + 2 * 640);
  CHECK(FlopCount(model, train_from(model, 2)).backward(kTexts) == projected + attended + above + 2 * kBertHead);
}

TEST_CASE("the vocabulary counts for the tokens that are wanted, tied or not", "[models][flops]") {
  for (const char* name : {"bert_masked_lm", "bert_untied_lm"}) {
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    const models::Model& model = *loaded.model;
    const FlopCount full(model, all_train(model));
    CHECK(full.forward(kTexts, 3, kEnd) == 4 * (512 + 1024));
    CHECK(full.forward(kTexts, 0, kEnd) == 2 * kBertFirst + 4 * (512 + 1024));
    CHECK(full.backward(kTexts) == 2 * full.forward(kTexts, 0, kEnd));
    PassSize none = kTexts;
    none.wanted = 0;
    CHECK(full.forward(none, 3, kEnd) == 0);
  }
}

TEST_CASE("FLOP of a decoder with LoRA are those of a count by hand", "[models][flops]") {
  models::LoadedModel loaded = load_golden("llama_causal_lm");
  models::Model& model = *loaded.model;
  const FlopCount full(model, all_train(model));
  CHECK(full.forward(kTexts, 0, kEnd) == 2 * kLlamaBlock + kLlamaHead);
  CHECK(full.backward(kTexts) == 2 * (2 * kLlamaBlock + kLlamaHead));

  adapt::LoraOptions options;
  options.r = 2;
  options.target_modules.names = {"q_proj", "v_proj"};
  adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, options), 1);
  std::vector<bool> flags;
  for (const models::Parameter& parameter : model.parameters()) flags.push_back(parameter.with_adapter);
  const FlopCount lora(model, flags);
  // A is 16 × 2, that is 64 FLOP a row; B is 2 × 16 for queries, 64, and 2 × 8 for values, 32.
  CHECK(lora.forward(kTexts, 0, kEnd) == 2 * kLlamaBlock + kLlamaHead + 2 * 8 * (64 + 64 + 64 + 32));
  const double attended = 2 * 4 * 16 * (6 + 15), behind = 8 * (512 + 3 * 640);  // only gradients of what layers read
  const double changes = 8 * (64 + 64 + 64 + 64 + 32 + 32);                      // of A, B, and of what B reads
  const double first = changes + attended + behind;  // nothing below it wants a gradient
  const double second = changes + attended + behind + 8 * (512 + 256 + 256 + 2 * 64);
  CHECK(lora.backward(kTexts) == first + second + kLlamaHead);
}

TEST_CASE("virtual tokens cost what tokens cost, or what keys cost", "[models][flops]") {
  files::PromptTuningSettings prompt;
  prompt.num_virtual_tokens = 2;
  models::LoadedModel longer = load_golden("llama_causal_lm");
  const FlopCount plain(*longer.model);
  adapt::attach_adapter(longer, adapt::plan_adapter(longer, prompt), 1);
  CHECK(FlopCount(*longer.model).forward(kTexts, 0, kEnd) == plain.forward({.lengths = {5, 7}, .wanted = 4}, 0, kEnd));

  files::PrefixTuningSettings prefix;
  prefix.num_virtual_tokens = 2;
  models::LoadedModel wider = load_golden("llama_causal_lm");
  adapt::attach_adapter(wider, adapt::plan_adapter(wider, prefix), 1);
  std::vector<bool> flags;
  for (const models::Parameter& parameter : wider.model->parameters()) flags.push_back(parameter.with_adapter);
  const FlopCount count(*wider.model, flags);
  CHECK(count.forward(kTexts, 0, kEnd) == plain.forward(kTexts, 0, kEnd) + 2 * 4 * 16 * (2 * 8));
  // The first block needs the gradients of what lies behind its queries, keys and values alone, which are 1024 a row.
  const double attended = 2 * 4 * 16 * (6 + 15 + 2 * 8), behind = 8 * (512 + 3 * 640), before = 8 * (512 + 2 * 256);
  CHECK(count.backward(kTexts) == 2 * (attended + behind) + before + kLlamaHead);
}

TEST_CASE("IA3 costs a backward pass the products between its gains", "[models][flops]") {
  models::LoadedModel loaded = load_golden("llama_causal_lm");
  adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, files::Ia3Settings{}), 1);
  std::vector<bool> flags;
  for (const models::Parameter& parameter : loaded.model->parameters()) flags.push_back(parameter.with_adapter);
  const FlopCount count(*loaded.model, flags);
  CHECK(count.forward(kTexts, 0, kEnd) == 2 * kLlamaBlock + kLlamaHead);
  const double attended = 2 * 4 * 16 * (6 + 15), behind = 8 * (512 + 3 * 640), before = 8 * (512 + 2 * 256);
  CHECK(count.backward(kTexts) == 2 * (attended + behind) + before + kLlamaHead);
}

TEST_CASE("a window of attention limits the pairs that are counted", "[models][flops]") {
  const models::LoadedModel loaded = load_golden("mistral_sequence");
  const models::ModelSpec& spec = loaded.model->spec();
  REQUIRE(spec.decoder.layers[0].window == 3);
  const FlopCount count(*loaded.model);
  const double width = 4.0 * static_cast<double>(spec.num_attention_heads * spec.decoder.head_dim);
  const auto pairs = [&](std::int64_t length) {  // of the first block, without its layers, which are linear in the tokens
    return (count.forward({.lengths = {length}}, 1, 2) - static_cast<double>(length) * (count.forward({.lengths = {1}}, 1, 2) - width)) / width;
  };
  CHECK(pairs(1) == 1);
  CHECK(pairs(3) == 6);
  CHECK(pairs(7) == 6 + 4 * 3);
}

TEST_CASE("the end of a text behind kept keys costs what the whole text costs without its beginning", "[models][flops]") {
  for (const char* name : {"llama_causal_lm", "gemma2_causal_lm"}) {
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    const FlopCount count(*loaded.model);
    const int end = loaded.model->depth() + 2;
    for (const std::int64_t begin : {1, 2, 3, 4, 6}) {
      INFO(begin);
      const PassSize cut{.lengths = {begin, 7 - begin}, .before = {0, begin}, .wanted = 2}, whole{.lengths = {7}, .wanted = 2};
      CHECK(count.forward(cut, 0, end) == count.forward(whole, 0, end));
      CHECK(count.forward({.lengths = cut.lengths, .wanted = 2}, 0, end) < count.forward(whole, 0, end));
    }
  }
}
