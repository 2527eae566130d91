// LoRA against PEFT (tests/goldens/adapters), a fresh adapter, its dropout, merging, and mistakes in naming layers.
#include "attune/adapt/adapter.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

#include <algorithm>

#include "adapt/golden_adapter.h"
#include "attune/adapt/freeze.h"
#include "catch.h"
#include "raises.h"

using namespace attune;
using namespace attune::testing;

namespace {

adapt::LoraOptions options_for(std::vector<std::string> targets) {
  adapt::LoraOptions options;
  options.target_modules.names = std::move(targets);
  return options;
}

/// The model with a new adapter.
models::LoadedModel with_lora(const std::string& golden, const adapt::LoraOptions& options) {
  models::LoadedModel loaded = load_golden(golden);
  adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, options), 1);
  return loaded;
}

std::vector<std::string> changed_paths(const std::string& golden, const adapt::LoraOptions& options) {
  const models::LoadedModel loaded = load_golden(golden);
  std::vector<std::string> paths;
  for (const adapt::ChangedLayer& target : adapt::plan_adapter(loaded, options).targets) {
    paths.push_back(loaded.model->adaptable_layers()[target.layer].path);
  }
  return paths;
}

models::Input with_dropout(models::Input input, std::uint64_t step) {
  input.dropout = {.step_key = step, .token_keys = at::arange(input.ids.size(0), at::kLong)};
  return input;
}

}  // namespace

TEST_CASE("logits and gradients under an adapter are PEFT's", "[adapt]") {
  for (const std::string& name : golden_adapters()) {
    INFO(name);
    const GoldenAdapter golden(name);
    const models::LoadedModel loaded = golden.load();
    for (models::Parameter& parameter : loaded.model->parameters())
      parameter.tensor.set_requires_grad(parameter.with_adapter);
    const at::Tensor logits = golden.logits(loaded);
    CHECK(worst_difference(logits, golden.expected.at("logits")) < 1e-5);
    (logits * golden.direction()).sum().backward();
    std::size_t gradients = 0;
    for (const models::Parameter& parameter : loaded.model->parameters()) {
      const auto want = golden.expected.find("grad." + adapt::peft_name(parameter, *loaded.model));
      INFO(parameter.name);
      REQUIRE((want != golden.expected.end()) == parameter.with_adapter);
      if (!parameter.with_adapter) continue;
      ++gradients;
      CHECK(worst_difference(parameter.tensor.grad(), want->second) <
            1e-6 + 1e-4 * want->second.abs().max().item<double>());
    }
    CHECK(gradients + 1 == golden.expected.size());
  }
}

TEST_CASE("merging an adapter leaves the logits as they are", "[adapt]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : golden_adapters()) {
    INFO(name);
    const GoldenAdapter golden(name);
    models::LoadedModel loaded = golden.load();
    const at::Tensor before = golden.logits(loaded);
    if (loaded.model->virtual_tokens()) {
      CHECK_RAISES(adapt::merge_adapter(loaded), usage, "virtual tokens before every text cannot be merged");
      continue;
    }
    adapt::merge_adapter(loaded);
    CHECK(worst_difference(golden.logits(loaded), before) < 3e-6);
    CHECK(std::ranges::none_of(loaded.model->parameters(),
                               [](const models::Parameter& p) { return p.kind == models::ParameterKind::adapter; }));
  }
}

TEST_CASE("in bfloat16 a merged weight is what products read", "[adapt]") {
  const at::NoGradGuard no_grad;
  const GoldenAdapter golden(golden_adapters().front());
  models::LoadedModel loaded = golden.load();
  loaded.model->set_execution({.device = at::kCPU, .precision = nn::Precision::bfloat16});
  const at::Tensor before = golden.logits(loaded);
  adapt::merge_adapter(loaded);
  CHECK(worst_difference(golden.logits(loaded), before) < 2e-2);
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    if (parameter.rounded.defined()) CHECK(at::equal(parameter.rounded, parameter.tensor.detach().to(at::kBFloat16)));
  }
}

TEST_CASE("layers that share their weight with another are named, and not merged", "[adapt]") {
  models::LoadedModel tied = with_lora("gpt2_causal_lm", options_for({"wte", "c_attn"}));
  CHECK(adapt::shared_targets(*tied.model) == std::vector<std::string>{"transformer.wte"});
  CHECK_RAISES(adapt::merge_adapter(tied), model, "transformer.wte");
  CHECK(adapt::shared_targets(*with_lora("gpt2_causal_lm", options_for({"c_attn"})).model).empty());
}

TEST_CASE("a fresh adapter leaves the logits bit-equal and trains A, B, magnitudes and the head", "[adapt]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const models::Input input = golden_input(golden_tensors(name));
    for (const bool dora : {false, true}) {
      adapt::LoraOptions options;
      options.target_modules.pattern = "all-linear";
      options.use_dora = dora;
      options.lora_dropout = 0.5;  // acts in training only
      const models::LoadedModel base = load_golden(name);
      const models::LoadedModel loaded = with_lora(name, options);
      const auto logits = [&](const models::LoadedModel& of) {
        return models::forward(*of.model, of.model->prepare(input, false)).logits;
      };
      CHECK(at::equal(logits(loaded), logits(base)));
      loaded.model->set_execution({.precision = nn::Precision::bfloat16});
      base.model->set_execution({.precision = nn::Precision::bfloat16});
      CHECK(at::equal(logits(loaded), logits(base)));
      adapt::TuningOptions tuning{.method = "lora", .freeze = {}};
      const std::vector<bool> trains = adapt::trainable_parameters(*loaded.model, tuning);
      for (std::size_t i = 0; i < trains.size(); ++i) {
        const models::Parameter& parameter = loaded.model->parameters()[i];
        if (parameter.kind == models::ParameterKind::adapter) CHECK(trains[i]);
        const bool is_body = !parameter.is_head && parameter.kind != models::ParameterKind::adapter;
        if (is_body) CHECK_FALSE(trains[i]);
      }
    }
  }
}

TEST_CASE("an adapter of the output layer changes the logits, also where the loss would multiply them out", "[adapt]") {
  const at::NoGradGuard no_grad;
  models::Input input = golden_input(golden_tensors("llama_causal_lm"));
  const models::LoadedModel loaded = with_lora("llama_causal_lm", options_for({"lm_head"}));
  const auto output = [&] { return models::forward(*loaded.model, loaded.model->prepare(input, false)); };
  const at::Tensor before = output().logits;
  for (const models::AdaptableLayer& layer : loaded.model->adaptable_layers()) {
    if (layer.change && *layer.change) layer.change->b.fill_(0.5);
  }
  const at::Tensor after = output().logits;
  CHECK_FALSE(at::allclose(after, before));
  input.defer_vocabulary = true;
  const models::Output deferred = output();
  CHECK_FALSE(deferred.vocabulary.defined());
  CHECK(at::equal(deferred.logits, after));
}

TEST_CASE("A starts as PEFT's does, pure in the seed", "[adapt]") {
  adapt::LoraOptions options = options_for({"query"});
  options.r = 12;
  const auto a = [&](std::uint64_t seed) {
    models::LoadedModel loaded = load_golden("bert_sequence");
    adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, options), seed);
    return value_of(loaded, "bert.encoder.layer.0.attention.self.query.lora_A.weight");
  };
  CHECK(at::equal(a(1), a(1)));
  CHECK_FALSE(at::equal(a(1), a(2)));
  CHECK(a(1).abs().max().item<double>() <= 0.25);  // 1/sqrt(16)
  CHECK(a(1).abs().max().item<double>() > 0.23);
  options.init_lora_weights = "gaussian";
  CHECK(std::abs(a(1).std().item<double>() - 1.0 / 12) < 0.02);
}

TEST_CASE("dropout of an adapter is keyed by step and token, and acts on its input alone", "[adapt]") {
  const at::NoGradGuard no_grad;
  adapt::LoraOptions options;
  options.target_modules.pattern = "all-linear";
  options.lora_dropout = 0.5;
  const std::string name = "llama_causal_lm";  // has no dropout of its own
  const models::LoadedModel loaded = with_lora(name, options);
  models::Input input = golden_input(golden_tensors(name));
  const auto logits = [&](const models::Input& in) {
    return models::forward(*loaded.model, loaded.model->prepare(in, true)).logits;
  };
  CHECK(at::equal(logits(with_dropout(input, 5)), logits(input)));  // B is 0
  for (models::Parameter& parameter : loaded.model->parameters()) {
    if (parameter.name.ends_with("lora_B.weight")) parameter.tensor.fill_(0.1);
  }
  CHECK(at::equal(logits(with_dropout(input, 5)), logits(with_dropout(input, 5))));
  CHECK_FALSE(at::equal(logits(with_dropout(input, 5)), logits(with_dropout(input, 6))));
  CHECK_FALSE(at::equal(logits(with_dropout(input, 5)), logits(input)));
  // Which rows are wanted does not change a mask.
  const at::Tensor all = logits(with_dropout(input, 5));
  input.wanted = at::arange(3, at::kLong) + 1;
  CHECK(worst_difference(logits(with_dropout(input, 5)), all.index_select(0, input.wanted)) < 1e-6);
}

TEST_CASE("layers are named as PEFT names them", "[adapt]") {
  CHECK(changed_paths("bert_sequence", {}).size() == 4);  // query and value of two blocks
  CHECK(changed_paths("gpt2_sequence", {}) ==
        std::vector<std::string>{"transformer.h.0.attn.c_attn", "transformer.h.1.attn.c_attn"});
  adapt::LoraOptions options = options_for({"query"});
  options.layers_to_transform = {1};
  CHECK(changed_paths("bert_sequence", options) ==
        std::vector<std::string>{"bert.encoder.layer.1.attention.self.query"});
  options = {};
  options.target_modules.pattern = R"(.*layer\.0\..*dense)";
  options.exclude_modules.names = {"attention.output.dense"};
  CHECK(changed_paths("bert_sequence", options) ==
        std::vector<std::string>{"bert.encoder.layer.0.intermediate.dense", "bert.encoder.layer.0.output.dense"});
  options = {};
  options.target_modules.pattern = "all-linear";
  CHECK(changed_paths("llama_causal_lm", options).size() == 14);
  CHECK(changed_paths("bert_sequence", options).size() == 13);  // the pooler too, the classifier not
  // "classifier" saves pre_classifier too, and PEFT takes no layer twice.
  CHECK(changed_paths("distilbert_sequence", options).size() == 12);
}

TEST_CASE("what the checkpoint lacked is saved with the adapter", "[adapt]") {
  EditedCheckpoint checkpoint("distilbert_sequence");
  for (const char* name : {"pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias"})
    checkpoint.tensors.erase(name);
  const models::LoadedModel loaded = checkpoint.load();
  const adapt::AdapterPlan plan = adapt::plan_adapter(loaded, options_for({"q_lin"}));
  CHECK(plan.saves("pre_classifier"));
  CHECK(plan.saves("classifier"));
  CHECK_FALSE(plan.saves("distilbert.transformer.layer.0.attention.q_lin"));
}

TEST_CASE("mistakes in an adapter's settings are named with what is near", "[adapt]") {
  const auto refused = [](const std::string& golden, const adapt::LoraOptions& options) {
    changed_paths(golden, options);
  };
  CHECK_RAISES(refused("bert_sequence", options_for({"query", "valeu"})), usage, "did you mean 'value'?");
  CHECK_RAISES(refused("bert_sequence", options_for({"q_proj"})), usage, "no layer of the model is called 'q_proj'");
  CHECK_RAISES(refused("phi3_causal_lm", {}), usage, "no usual layers for the model type phi3");
  CHECK_RAISES(refused("bert_sequence", options_for({"classifier"})), usage,
               "only layers that the other settings leave out");
  adapt::LoraOptions options;
  options.modules_to_save = {"poolr"};
  CHECK_RAISES(refused("bert_sequence", options), usage, "did you mean 'pooler'?");
  options = {};
  options.target_modules.pattern = ".*query";
  options.rank_pattern = {{"key", 2}};
  CHECK_RAISES(refused("bert_sequence", options), usage, "'key' matches no layer that changes");
  options.rank_pattern = {{"query", 2}, {"self.query", 3}};
  CHECK_RAISES(refused("bert_sequence", options), usage, "both match the layer");
  options.rank_pattern = {};
  options.target_modules.pattern = "(query";
  CHECK_RAISES(refused("bert_sequence", options), usage, "no usable regular expression");
  options = options_for({"query"});
  options.fan_in_fan_out = true;
  CHECK_RAISES(refused("bert_sequence", options), usage, "the other way round");
  options = options_for({"word_embeddings"});
  options.use_dora = true;
  CHECK_RAISES(refused("bert_sequence", options), usage, "is an embedding");
  options = options_for({"q_proj"});
  options.modules_to_save = {"embed_tokens"};
  CHECK_RAISES(refused("qwen2_causal_lm", options), usage, "is shared with 'lm_head.weight'");
}
