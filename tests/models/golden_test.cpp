// Networks against the reference's logits, hidden states and gradients (tests/goldens/models).
#include "models/golden.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

#include "attune/models/model.h"
#include "catch.h"
#include "raises.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

Output run(const LoadedModel& loaded, const Input& input) {
  return forward(*loaded.model, loaded.model->prepare(input, false));
}

Input with_dropout(Input input) {
  input.dropout = {.step_key = 5, .token_keys = at::arange(input.ids.size(0), at::kLong)};
  return input;
}

}  // namespace

TEST_CASE("logits, hidden states and gradients are the reference's", "[models]") {
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    const LoadedModel loaded = load_golden(name);
    CHECK(loaded.report.newly_initialised.empty());
    CHECK(loaded.report.unused.empty());

    const Output output = run(loaded, golden_input(expected));
    CHECK(worst(output.logits, expected.at("logits")) < 1e-5);
    if (expected.contains("pooled")) CHECK(worst(output.pooled, expected.at("pooled")) < 1e-5);

    (output.logits * expected.at("direction")).sum().backward();
    std::size_t gradients = 0;
    for (const Parameter& parameter : loaded.model->parameters()) {
      INFO(parameter.name);
      const auto want = expected.find("grad." + parameter.name);
      const at::Tensor& got = parameter.tensor.grad();
      REQUIRE(got.defined() == (want != expected.end()));
      if (!got.defined()) continue;
      ++gradients;
      CHECK(worst(got, want->second) < 1e-6 + 1e-4 * want->second.abs().max().item<double>());
    }
    CHECK(gradients > 14);
  }
}

TEST_CASE("the trace shows the reference's hidden states, all rows of the last block included", "[models]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    const LoadedModel loaded = load_golden(name);
    Context context = loaded.model->prepare(golden_input(expected), false);
    int seen = 0;
    context.trace = [&](const std::string& stage, const at::Tensor& hidden) {
      INFO(stage);
      CHECK(worst(hidden, expected.at(stage)) < 1e-5);
      ++seen;
    };
    CHECK(worst(forward(*loaded.model, context).logits, expected.at("logits")) < 1e-5);
    CHECK(seen == loaded.model->depth() + 1);
  }
}

TEST_CASE("the last block computes only what a sequence head reads", "[models]") {
  const at::NoGradGuard no_grad;
  const Tensors expected = golden_tensors("bert_sequence");
  const LoadedModel loaded = load_golden("bert_sequence");
  const Context context = loaded.model->prepare(golden_input(expected), false);
  State state = loaded.model->embed(context);
  CHECK(state.hidden.size(0) == 15);
  state = loaded.model->block(0, state, context);
  CHECK(state.hidden.size(0) == 15);
  state = loaded.model->block(1, state, context);
  CHECK(state.hidden.size(0) == 3);
}

TEST_CASE("heads over the vocabulary give the wanted rows only, with the same numbers", "[models]") {
  const at::NoGradGuard no_grad;
  for (const std::string name : {"bert_masked_lm", "distilbert_masked_lm", "electra_masked_lm", "roberta_masked_lm",
                                 "gpt2_causal_lm", "gemma2_causal_lm", "gpt_neox_causal_lm"}) {
    const Tensors expected = golden_tensors(name);
    Input input = golden_input(expected);
    input.wanted = at::arange(1, 15, 4, at::kLong);
    const at::Tensor logits = run(load_golden(name), input).logits;
    CHECK(worst(logits, expected.at("logits").index_select(0, input.wanted)) < 1e-5);
  }
}

TEST_CASE("a dead segment changes no live row", "[models]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    Input input = golden_input(expected);
    const std::int64_t live = input.ids.size(0);
    const auto padded = [&](const at::Tensor& x) { return x.new_zeros({64}).index_copy(0, at::arange(live), x); };
    input.ids = padded(input.ids);
    input.positions = padded(input.positions);
    input.segments = padded(input.segments);
    input.layout.total = 64;
    const at::Tensor logits = run(load_golden(name), input).logits;
    const at::Tensor& want = expected.at("logits");
    CHECK(worst(logits.narrow(0, 0, want.size(0)), want) < 1e-5);
  }
}

TEST_CASE("dropout acts in the stages where it is on, and only through its keys", "[models]") {
  const at::NoGradGuard no_grad;
  for (const std::string name : {"bert_sequence", "distilbert_token", "electra_sequence"}) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    const LoadedModel loaded = load_golden(name);
    const Input input = with_dropout(golden_input(expected));
    const auto logits = [&](const Context& context) { return forward(*loaded.model, context).logits; };

    const at::Tensor dropped = logits(loaded.model->prepare(input, true));
    CHECK(worst(dropped, expected.at("logits")) > 1e-3);
    CHECK(at::equal(dropped, logits(loaded.model->prepare(input, true))));
    CHECK(worst(logits(loaded.model->prepare(input, false)), expected.at("logits")) < 1e-5);

    // Every stage has dropout of its own. (DistilBERT's token head, ELECTRA's and BERT's heads included.)
    for (int stage = 0; stage <= loaded.model->depth() + 1; ++stage) {
      INFO("stage " << stage);
      Context context = loaded.model->prepare(input, true);
      std::fill(context.dropout_on.begin(), context.dropout_on.end(), false);
      context.dropout_on[stage] = true;
      CHECK(worst(logits(context), expected.at("logits")) > 1e-4);
    }
  }
}

TEST_CASE("dropout of a sequence does not depend on what else is in the batch, nor on what is computed", "[models]") {
  const at::NoGradGuard no_grad;
  const Tensors expected = golden_tensors("electra_sequence");
  const LoadedModel loaded = load_golden("electra_sequence");
  const Input together = with_dropout(golden_input(expected));
  const at::Tensor logits = forward(*loaded.model, loaded.model->prepare(together, true)).logits;

  Input alone = together;  // the second sequence: rows 9 to 13
  for (at::Tensor* x : {&alone.ids, &alone.positions, &alone.segments, &alone.dropout.token_keys}) {
    *x = x->narrow(0, 9, 5);
  }
  alone.layout = nn::make_layout({5});
  CHECK(worst(forward(*loaded.model, loaded.model->prepare(alone, true)).logits, logits.narrow(0, 1, 1)) < 1e-6);

  Context traced = loaded.model->prepare(together, true);
  traced.trace = [](const std::string&, const at::Tensor&) {};
  CHECK(worst(forward(*loaded.model, traced).logits, logits) < 1e-6);
}

TEST_CASE("a parameter names the stages that read it, each storage once", "[models]") {
  const LoadedModel loaded = load_golden("bert_masked_lm");
  std::map<std::string, std::vector<int>> stages;
  for (const Parameter& parameter : loaded.model->parameters()) stages[parameter.name] = parameter.stages;
  CHECK(stages.at("bert.embeddings.word_embeddings.weight") == std::vector<int>{0, 3});
  CHECK(stages.at("bert.embeddings.LayerNorm.weight") == std::vector<int>{0});
  CHECK(stages.at("bert.encoder.layer.1.output.dense.weight") == std::vector<int>{2});
  CHECK(stages.at("cls.predictions.bias") == std::vector<int>{3});
  CHECK_FALSE(stages.contains("cls.predictions.decoder.weight"));
}

TEST_CASE("weight decay spares biases and norms", "[models]") {
  const LoadedModel loaded = load_golden("distilbert_masked_lm");
  for (const Parameter& parameter : loaded.model->parameters()) {
    const bool matrix = parameter.shape.size() == 2;
    INFO(parameter.name);
    CHECK(decays(parameter) == matrix);
  }
  const auto named = [](const std::string& name, ParameterKind kind = ParameterKind::matrix) {
    return Parameter{.name = name,
                     .shape = {},
                     .tensor = {},
                     .stages = {},
                     .kind = kind,
                     .aliases = {},
                     .is_head = false,
                     .padding_row = {},
                     .file_name = {}};
  };
  for (const char* name : {"encoder.rel_norm", "a.norm.weight", "norm", "layer.q_norm.weight", "a.query.bias",
                           "embeddings.LayerNorm.weight", "decoder.relative_attention_bias.weight"}) {
    INFO(name);
    CHECK_FALSE(decays(named(name)));
  }
  CHECK_FALSE(decays(named("transformer.ln_1.weight", ParameterKind::norm)));
  CHECK(decays(named("a.normal.weight")));
  CHECK(decays(named("model.normalizer.weight")));
}

TEST_CASE("a sequence longer than the positions is refused", "[models]") {
  const LoadedModel loaded = load_golden("bert_sequence");
  Input input = golden_input(golden_tensors("bert_sequence"));
  input.layout = nn::make_layout({13});
  CHECK_RAISES(loaded.model->prepare(input, false), data, "at most 12");
}
